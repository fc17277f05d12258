#include "smoothing.h"

#include "dinoft/error.h"
#include "dinoft/multiversion.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Floats that are added at once. Spelled out since compilers take the loops below apart in another direction,
 * which costs more than twice the time. */
#define LANES 8
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

/* Vectors whose sums stay in registers while the rows go by. */
#define VECTORS 4
#define BLOCK   ((int64_t)LANES * VECTORS)

struct weights {
    float *values; /* [2 * radius + 1] */
    int radius;
};

int smoothing_radius(double sigma, double truncate)
{
    return (int)(truncate * sigma + 0.5);
}

static int make_weights(struct weights *weights, double sigma, double truncate)
{
    const int radius = smoothing_radius(sigma, truncate), count = 2 * radius + 1;
    double sum = 0.0;

    *weights = (struct weights){malloc((size_t)count * sizeof(float)), radius};
    if (!weights->values)
        return df_error_memory("a Gaussian", (unsigned long long)count * sizeof(float));
    for (int i = -radius; i <= radius; i++)
        sum += exp(-0.5 * i * i / (sigma * sigma));
    for (int i = -radius; i <= radius; i++)
        weights->values[i + radius] = (float)(exp(-0.5 * i * i / (sigma * sigma)) / sum);
    return 0;
}

/* sums[i] = the sum of rows[k][i] * weights[k] over k = 0 .. 2 * radius. */
DF_MULTIVERSION static void sum_rows(float *restrict sums, const float *const *rows, const float *weights,
                                     int radius, int64_t count)
{
    int64_t at = 0;

    for (; at + BLOCK <= count; at += BLOCK) {
        const lanes *middle = (const lanes *)(rows[radius] + at);
        lanes sum[VECTORS];
        for (int i = 0; i < VECTORS; i++)
            sum[i] = middle[i] * weights[radius];
        for (int k = 0; k < radius; k++) {
            const lanes *before = (const lanes *)(rows[k] + at);
            const lanes *after = (const lanes *)(rows[2 * radius - k] + at);
            for (int i = 0; i < VECTORS; i++)
                sum[i] += (before[i] + after[i]) * weights[k];
        }
        memcpy(sums + at, sum, sizeof sum);
    }
    for (; at < count; at++) {
        sums[at] = rows[radius][at] * weights[radius];
        for (int k = 0; k < radius; k++)
            sums[at] += (rows[k][at] + rows[2 * radius - k][at]) * weights[k];
    }
}

/* line: a buffer for a row and the horizontal radius on both sides. rows: for the weights of either
 * direction. */
static void filter(const struct float_image *source, const struct weights *horizontal,
                   const struct weights *vertical, enum filter_border border, float *line, const float **rows,
                   struct float_image *result)
{
    const int64_t width = source->width;
    const int margin = horizontal->radius;

    for (int64_t y = 0; y < source->height; y++) {
        for (int k = 0; k <= 2 * vertical->radius; k++)
            rows[k] = source->pixels + border_index(y + k - vertical->radius, source->height, border) * width;
        sum_rows(line + margin, rows, vertical->values, vertical->radius, width);
        for (int k = 1; k <= margin; k++) {
            line[margin - k] = line[margin + border_index(-k, width, border)];
            line[margin + width - 1 + k] = line[margin + border_index(width - 1 + k, width, border)];
        }
        for (int k = 0; k <= 2 * margin; k++)
            rows[k] = line + k;
        sum_rows(result->pixels + y * width, rows, horizontal->values, margin, width);
    }
}

int smooth_by_filter(const struct float_image *source, const struct smoothing *smoothing,
                     enum filter_border border, struct float_image *result)
{
    struct weights horizontal = {0}, vertical = {0};
    float *line = NULL;
    const float **rows = NULL;
    int status = -1;

    assert(source->channels == 1 && result->channels == 1 && source->width == result->width &&
           source->height == result->height);
    if (make_weights(&horizontal, smoothing->sigma_x, smoothing->truncate) != 0 ||
        make_weights(&vertical, smoothing->sigma_y, smoothing->truncate) != 0)
        goto done;
    const int most = horizontal.radius > vertical.radius ? horizontal.radius : vertical.radius;
    line = malloc((size_t)(source->width + 2 * horizontal.radius) * sizeof *line);
    rows = malloc((size_t)(2 * most + 1) * sizeof *rows);
    if (!line || !rows) {
        df_error_memory("smoothing", (unsigned long long)(source->width + 2 * most) * sizeof *line);
        goto done;
    }
    filter(source, &horizontal, &vertical, border, line, rows, result);
    status = 0;
done:
    free(horizontal.values);
    free(vertical.values);
    free(line);
    free(rows);
    return status;
}
