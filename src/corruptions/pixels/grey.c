#include "grey.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint8_t *grey_padded(const struct df_image *grey, enum filter_border border)
{
    const int64_t width = grey->width, height = grey->height, stride = width + 2;
    uint8_t *padded = malloc((size_t)(stride * (height + 2)));

    assert(grey->channels == 1 && width >= 2 && height >= 2);
    if (!padded) {
        df_error_memory("a padded image", (unsigned long long)(stride * (height + 2)));
        return NULL;
    }
    for (int64_t y = -1; y <= height; y++) {
        const uint8_t *row = grey->pixels + border_index(y, height, border) * width;
        uint8_t *out = padded + (y + 1) * stride;
        out[0] = row[border_index(-1, width, border)];
        memcpy(out + 1, row, (size_t)width);
        out[width + 1] = row[border_index(width, width, border)];
    }
    return padded;
}

/* [x], [x + 1] and [x + 2] of each row lie around pixel x. */
struct rows {
    const uint8_t *above, *row, *below;
};

static struct rows rows_of(const uint8_t *padded, int64_t y, int64_t stride)
{
    return (struct rows){padded + y * stride, padded + (y + 1) * stride, padded + (y + 2) * stride};
}

static void filter3_row(struct rows rows, const int kernel[3][3], int64_t width, uint8_t *restrict out)
{
    const int a = kernel[0][0], b = kernel[0][1], c = kernel[0][2];
    const int d = kernel[1][0], e = kernel[1][1], f = kernel[1][2];
    const int g = kernel[2][0], h = kernel[2][1], i = kernel[2][2];

    for (int64_t x = 0; x < width; x++) {
        const int above = a * rows.above[x] + b * rows.above[x + 1] + c * rows.above[x + 2];
        const int beside = d * rows.row[x] + e * rows.row[x + 1] + f * rows.row[x + 2];
        const int below = g * rows.below[x] + h * rows.below[x + 1] + i * rows.below[x + 2];
        const int sum = above + beside + below;
        out[x] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

int grey_filter3(const struct df_image *source, const int kernel[3][3], struct df_image *result)
{
    const int64_t width = source->width;
    uint8_t *padded = grey_padded(source, BORDER_REFLECT_101);

    if (!padded)
        return -1;
    for (int64_t y = 0; y < source->height; y++)
        filter3_row(rows_of(padded, y, width + 2), kernel, width, result->pixels + y * width);
    free(padded);
    return 0;
}

static void box3_row(struct rows rows, int64_t width, uint8_t *restrict out)
{
    for (int64_t x = 0; x < width; x++) {
        const int above = rows.above[x] + rows.above[x + 1] + rows.above[x + 2];
        const int beside = rows.row[x] + rows.row[x + 1] + rows.row[x + 2];
        const int below = rows.below[x] + rows.below[x + 1] + rows.below[x + 2];
        out[x] = (uint8_t)((uint16_t)(above + beside + below + 4) / 9);
    }
}

int grey_box3(const struct df_image *source, struct df_image *result)
{
    const int64_t width = source->width;
    uint8_t *padded = grey_padded(source, BORDER_REFLECT_101);

    if (!padded)
        return -1;
    for (int64_t y = 0; y < source->height; y++)
        box3_row(rows_of(padded, y, width + 2), width, result->pixels + y * width);
    free(padded);
    return 0;
}

static double column_sum(const float *const rows[3], int64_t x)
{
    return (double)rows[0][x] + (double)rows[1][x] + (double)rows[2][x];
}

void grey_from_box3(const struct float_image *plane, struct df_image *result)
{
    const int64_t width = plane->width, height = plane->height;

    assert(plane->channels == 1 && width >= 2 && height >= 2);
    for (int64_t y = 0; y < height; y++) {
        const float *row = plane->pixels + y * width;
        const float *const rows[3] = {y > 0 ? row - width : row + width, row,
                                      y + 1 < height ? row + width : row - width};
        uint8_t *out = result->pixels + y * width;
        double left = column_sum(rows, 1), here = column_sum(rows, 0);
        for (int64_t x = 0; x < width; x++) {
            const double right = column_sum(rows, x + 1 < width ? x + 1 : width - 2);
            out[x] = (uint8_t)(float)((left + here + right) * (1.0 / 9.0));
            left = here;
            here = right;
        }
    }
}

void grey_equalize(struct df_image *grey)
{
    const int64_t count = grey->width * grey->height;
    int64_t seen[256] = {0}, sum = 0;
    uint8_t table[256] = {0};
    int first = 0;

    for (int64_t i = 0; i < count; i++)
        seen[grey->pixels[i]]++;
    while (!seen[first])
        first++;
    if (seen[first] == count)
        return;
    const float scale = 255.0f / (float)(count - seen[first]);
    for (int value = first + 1; value < 256; value++) {
        sum += seen[value];
        table[value] = (uint8_t)lrintf((float)sum * scale);
    }
    for (int64_t i = 0; i < count; i++)
        grey->pixels[i] = table[grey->pixels[i]];
}
