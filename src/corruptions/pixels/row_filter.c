#include "row_filter.h"

#include "pair.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void take_floats(void *float_image, int64_t y, const double *row)
{
    const struct float_image *image = float_image;
    const int64_t values = image->width * image->channels;
    float *to = image->pixels + y * values;

    for (int64_t i = 0; i < values; i++)
        to[i] = (float)row[i];
}

/* Truncated before it is clipped, which comes to the same and is one comparison of integers. */
static void take_scaled(const struct df_image *image, int64_t y, const double *row, double scale)
{
    const int64_t values = image->width * image->channels;
    uint8_t *to = image->pixels + y * values;

    for (int64_t i = 0; i < values; i++) {
        const int32_t value = (int32_t)(row[i] * scale);
        to[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

void take_bytes(void *df_image, int64_t y, const double *row)
{
    take_scaled(df_image, y, row, 1.0);
}

void take_unit_bytes(void *df_image, int64_t y, const double *row)
{
    take_scaled(df_image, y, row, 255.0);
}

/* sums[i] = the sum of rows[k][i] * weights[k] over k = 0 .. count - 1. */
static void sum_rows(double *restrict sums, const double *const *rows, const double *weights, int count,
                     int64_t values)
{
    int64_t at = 0;

    for (; at + PAIRS_BLOCK <= values; at += PAIRS_BLOCK) {
        pair sum[PAIRS];
        for (int i = 0; i < PAIRS; i++)
            sum[i] = pair_at(rows[0] + at + 2 * i) * weights[0];
        for (int k = 1; k < count; k++) {
            for (int i = 0; i < PAIRS; i++)
                sum[i] += pair_at(rows[k] + at + 2 * i) * weights[k];
        }
        memcpy(sums + at, sum, sizeof sum);
    }
    for (; at < values; at++) {
        sums[at] = rows[0][at] * weights[0];
        for (int k = 1; k < count; k++)
            sums[at] += rows[k][at] * weights[k];
    }
}

/* sums[i] = the sum of rows[k][i] * weights[k] over k = 0 .. 2 * radius, where weights are symmetric. */
static void sum_mirrored_rows(double *restrict sums, const double *const *rows, const double *weights,
                              int radius, int64_t values)
{
    int64_t at = 0;

    for (; at + PAIRS_BLOCK <= values; at += PAIRS_BLOCK) {
        pair sum[PAIRS];
        for (int i = 0; i < PAIRS; i++)
            sum[i] = pair_at(rows[radius] + at + 2 * i) * weights[radius];
        for (int k = 0; k < radius; k++) {
            const double *before = rows[k] + at, *after = rows[2 * radius - k] + at;
            for (int i = 0; i < PAIRS; i++)
                sum[i] += (pair_at(before + 2 * i) + pair_at(after + 2 * i)) * weights[k];
        }
        memcpy(sums + at, sum, sizeof sum);
    }
    for (; at < values; at++) {
        sums[at] = rows[radius][at] * weights[radius];
        for (int k = 0; k < radius; k++)
            sums[at] += (rows[k][at] + rows[2 * radius - k][at]) * weights[k];
    }
}

int filter_taps(struct padded_image *source, const struct tap *taps, int count, row_taker *take, void *result)
{
    const int64_t values = source->width * source->channels;
    double *weights = malloc((size_t)count * sizeof *weights);
    const double **rows = malloc((size_t)count * sizeof *rows);
    double *row = malloc((size_t)values * sizeof *row);
    int status = -1;

    assert(count > 0);
    if (!weights || !rows || !row) {
        df_error_memory("filtering an image", (unsigned long long)values * sizeof *row);
        goto done;
    }
    for (int k = 0; k < count; k++)
        weights[k] = taps[k].weight;
    for (int64_t y = 0; y < source->height; y++) {
        padded_image_read(source, y);
        for (int k = 0; k < count; k++)
            rows[k] = source->rows[source->margin_y + y + taps[k].dy] + taps[k].dx * source->channels;
        sum_rows(row, rows, weights, count, values);
        take(result, y, row);
    }
    status = 0;
done:
    free(weights);
    free(rows);
    free(row);
    return status;
}

int filter_separable(struct padded_image *source, const double *weights, int radius, row_taker *take,
                     void *result)
{
    const int channels = source->channels;
    const int64_t values = source->width * channels;
    const int64_t margin = (int64_t)radius * channels;
    double *line = malloc((size_t)(values + 2 * margin) * sizeof *line);
    const double **columns = malloc((size_t)(2 * radius + 1) * sizeof *columns);
    double *row = malloc((size_t)values * sizeof *row);
    int status = -1;

    if (!line || !columns || !row) {
        df_error_memory("filtering an image", (unsigned long long)(values + margin) * 2 * sizeof *row);
        goto done;
    }
    for (int k = 0; k <= 2 * radius; k++)
        columns[k] = line + (int64_t)k * channels;
    for (int64_t y = 0; y < source->height; y++) {
        padded_image_read(source, y);
        sum_mirrored_rows(line + margin, source->rows + y, weights, radius, values);
        pad_row(line + margin, source->width, channels, radius, source->border);
        sum_mirrored_rows(row, columns, weights, radius, values);
        take(result, y, row);
    }
    status = 0;
done:
    free(line);
    free(columns);
    free(row);
    return status;
}
