#include "line_blur.h"

#include "padded_bytes.h"

#include "dinoft/error.h"
#include "dinoft/multiversion.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS 16

/* From left to right, a step along the longer side at a time, one along the other whenever the line's
 * distance from it has come to half. */
int line_points(struct point points[LINE_MOST_SIZE], struct point from, struct point to)
{
    if (to.x < from.x) {
        const struct point first = to;
        to = from;
        from = first;
    }
    const int width = to.x - from.x, height = abs(to.y - from.y), down = to.y < from.y ? -1 : 1;
    const bool steep = height > width;
    const int longer = steep ? height : width, shorter = steep ? width : height;
    int error = longer - 2 * shorter;

    for (int i = 0; i <= longer; i++) {
        points[i] = from;
        const bool both = error < 0;
        from.x += steep ? both : 1;
        from.y += steep || both ? down : 0;
        error += (both ? 2 * longer : 0) - 2 * shorter;
    }
    return longer + 1;
}

/* Adds four rows to sums. */
DF_MULTIVERSION static void add_rows(uint16_t *restrict sums, const uint8_t *const rows[4], int64_t values)
{
    const uint8_t *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2], *restrict d = rows[3];

    for (int64_t i = 0; i < values; i++)
        sums[i] = (uint16_t)(sums[i] + a[i] + b[i] + c[i] + d[i]);
}

/* out[i] = the sum of sums[i] and four rows, divided by count and rounded to the nearest, a half to the even
 * one. For sums of at most 13 bytes the product with a reciprocal has the quotient exactly. */
DF_MULTIVERSION static void average_rows(uint8_t *restrict out, const uint16_t *restrict sums,
                                         const uint8_t *const rows[4], int count, int64_t values)
{
    static const uint16_t reciprocals[LINE_MOST_SIZE + 1] = {/* 65536 / count, rounded up */
                                                             0,    0,    32768, 21846, 16384, 13108, 10923,
                                                             9363, 8192, 7282,  6554,  5958,  5462,  5042};
    const uint8_t *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2], *restrict d = rows[3];
    const uint16_t divisor = (uint16_t)count, reciprocal = reciprocals[count];

    for (int64_t i = 0; i < values; i++) {
        const uint16_t sum = (uint16_t)(sums[i] + a[i] + b[i] + c[i] + d[i]);
        const uint16_t quotient = (uint16_t)((uint32_t)sum * reciprocal >> 16);
        const uint16_t rest = (uint16_t)(sum - (uint16_t)(quotient * divisor));
        const uint16_t short_of = (uint16_t)(divisor - (uint16_t)(2 * rest + (quotient & 1)));
        out[i] = (uint8_t)(quotient + (short_of >> 15)); /* negative: more than a half */
    }
}

int line_blur(struct df_image *image, const struct point *points, int count, int size)
{
    const int64_t values = image->width * image->channels;
    const uint8_t *rows[MOST_ROWS];
    struct padded_bytes source;
    int status = -1;

    uint16_t *sums = calloc((size_t)values, sizeof *sums);
    uint8_t *zeros = calloc((size_t)values, 1);
    if (padded_bytes_make(&source, image, size / 2) != 0)
        goto done;
    if (!sums || !zeros) {
        df_error_memory("blurring an image", 3 * (unsigned long long)values);
        goto done;
    }
    for (int k = 0; k < MOST_ROWS; k++)
        rows[k] = zeros; /* those beyond count fill up the last four */
    for (int64_t y = 0; y < image->height; y++) {
        for (int k = 0; k < count; k++)
            rows[k] = source.rows[y + points[k].y] + points[k].x * image->channels;
        int added = 0;
        for (; added + 4 < count; added += 4) {
            if (added == 0)
                memset(sums, 0, (size_t)values * sizeof *sums);
            add_rows(sums, rows + added, values);
        }
        average_rows(image->pixels + y * values, sums, rows + added, count, values);
    }
    status = 0;
done:
    padded_bytes_free(&source);
    free(sums);
    free(zeros);
    return status;
}
