/* ImageNet-C's pixelation: Pillow's resize with BOX to a smaller image, and with NEAREST back, in its
 * arithmetic. */
#include "imagenet_c.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

#define WEIGHT_BITS 22 /* Pillow's fixed point for images of bytes */

/* The source pixels whose mean a pixel of the smaller image is. */
struct window {
    int64_t start;
    int count;
    int weight; /* of each, 2^WEIGHT_BITS / count */
};

/* Those whose centres lie within half a window of its own: on its left end not, on its right end yes. */
static struct window window_at(int64_t index, int64_t from, int64_t to)
{
    const double scale = (double)from / (double)to, centre = ((double)index + 0.5) * scale;
    const double inverse = 1.0 / scale;
    int64_t at = (int64_t)(centre - 0.5 * scale + 0.5), end = (int64_t)(centre + 0.5 * scale + 0.5);
    struct window window = {0};

    for (end = end < from ? end : from; at < end; at++) {
        const double position = ((double)at - centre + 0.5) * inverse;
        if (position > -0.5 && position <= 0.5) {
            if (window.count++ == 0)
                window.start = at;
        }
    }
    window.weight = (int)(0.5 + 1.0 / window.count * (1 << WEIGHT_BITS));
    return window;
}

/* The mean of window.count values, `step` apart, for each of three channels. */
static void average(const uint8_t *values, int64_t step, const struct window *window, uint8_t mean[3])
{
    for (int c = 0; c < 3; c++) {
        int sum = 0;
        for (int i = 0; i < window->count; i++)
            sum += values[i * step + c];
        mean[c] = (uint8_t)((sum * window->weight + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS);
    }
}

static struct window *windows(int64_t from, int64_t to)
{
    struct window *all = malloc((size_t)to * sizeof *all);

    if (!all) {
        df_error_memory("a row of windows", (unsigned long long)to * sizeof *all);
        return NULL;
    }
    for (int64_t i = 0; i < to; i++)
        all[i] = window_at(i, from, to);
    return all;
}

static int shrink_rows(const struct df_image *source, struct df_image *result)
{
    struct window *all = windows(source->width, result->width);

    if (!all)
        return -1;
    for (int64_t y = 0; y < source->height; y++) {
        const uint8_t *from = source->pixels + y * source->width * 3;
        uint8_t *to = result->pixels + y * result->width * 3;
        for (int64_t x = 0; x < result->width; x++)
            average(from + all[x].start * 3, 3, &all[x], to + x * 3);
    }
    free(all);
    return 0;
}

static void shrink_columns(const struct df_image *source, struct df_image *result)
{
    const int64_t row = source->width * 3;

    for (int64_t y = 0; y < result->height; y++) {
        const struct window window = window_at(y, source->height, result->height);
        for (int64_t i = 0; i < row; i += 3)
            average(source->pixels + window.start * row + i, row, &window, result->pixels + y * row + i);
    }
}

/* The source's row or column for each of the result's. Pillow adds the step up, so that rounding decides as
 * it does there. */
static int64_t *nearest_indices(int64_t from, int64_t to)
{
    const double step = (double)from / (double)to;
    int64_t *indices = malloc((size_t)to * sizeof *indices);
    double position = 0.5 * step;

    if (!indices) {
        df_error_memory("a row of indices", (unsigned long long)to * sizeof *indices);
        return NULL;
    }
    for (int64_t i = 0; i < to; i++, position += step)
        indices[i] = df_min_i64((int64_t)position, from - 1);
    return indices;
}

static int enlarge(const struct df_image *source, struct df_image *result)
{
    int64_t *columns = nearest_indices(source->width, result->width);
    int64_t *rows = nearest_indices(source->height, result->height);
    const size_t row = (size_t)result->width * 3;
    int status = -1;

    if (!columns || !rows)
        goto done;
    for (int64_t y = 0; y < result->height; y++) {
        const uint8_t *from = source->pixels + rows[y] * source->width * 3;
        uint8_t *to = result->pixels + (size_t)y * row;
        if (y > 0 && rows[y] == rows[y - 1]) {
            memcpy(to, to - row, row);
            continue;
        }
        for (int64_t x = 0; x < result->width; x++)
            memcpy(to + x * 3, from + columns[x] * 3, 3);
    }
    status = 0;
done:
    free(columns);
    free(rows);
    return status;
}

int imagenet_c_pixelate(struct df_corruption_job *job)
{
    static const double factors[DF_SEVERITIES] = {0.6, 0.5, 0.4, 0.3, 0.25};
    const double factor = factors[job->severity - 1];
    const int64_t width = (int64_t)((double)job->image->width * factor);
    const int64_t height = (int64_t)((double)job->image->height * factor);
    struct df_image narrow = {0}, small = {0};
    int status = -1;

    if (df_image_alloc(&narrow, width, job->image->height, 3) == 0 &&
        df_image_alloc(&small, width, height, 3) == 0 && shrink_rows(job->image, &narrow) == 0) {
        shrink_columns(&narrow, &small);
        status = enlarge(&small, job->image);
    }
    df_image_free(&narrow);
    df_image_free(&small);
    return status;
}
