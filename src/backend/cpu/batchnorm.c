/* BatchNorm over the rows of [M, C] with the ReLU that may follow it, forward and backward.
 *
 * Sums over rows are taken in double: over chunks of rows side by side, then over the chunks in order. How
 * the rows are cut depends on their number only, so the number of threads does not show. */
#include "cpu_backend.h"
#include "vector_math.h"

#include "dinoft/size.h"

#include <math.h>
#include <string.h>

#define GROUP      256 /* channels that are worked on together */
#define MAX_CHUNKS 32
#define MIN_ROWS   256 /* in a chunk: fewer are not worth a thread */
#define APPLY_ROWS 64  /* that a thread normalises at a time */

/* Two sums for each channel of a group. */
struct channel_sums {
    double first[GROUP], second[GROUP];
};

/* Everything that either pass sums over. Without dy: x - shift and its square, which is exact enough in one
 * pass once the shift (the first row) has taken a large common offset away. With dy: g = dy, with a ReLU only
 * where y > 0, and g * n, n being the normalised x. */
struct sum_source {
    const float *x, *y, *dy;  /* [M, C]; y: NULL without a ReLU */
    const float *mean, *rstd; /* [C], with dy */
    int64_t channels;
};

DF_MULTIVERSION static void sum_moments(const struct sum_source *source, int64_t begin, int64_t end,
                                        int64_t channel, int64_t count, struct channel_sums *sums)
{
    const float *x = source->x;
    for (int64_t row = begin; row < end; row++) {
        const int64_t at = row * source->channels + channel;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            const double shift = (double)x[channel + i];
            const double value = (double)x[at + i] - shift;
            sums->first[i] += value;
            sums->second[i] += value * value;
        }
    }
}

DF_MULTIVERSION static void sum_gradients(const struct sum_source *source, int64_t begin, int64_t end,
                                          int64_t channel, int64_t count, struct channel_sums *sums)
{
    const float *x = source->x, *y = source->y, *dy = source->dy;
    const float *mean = source->mean + channel, *rstd = source->rstd + channel;
    for (int64_t row = begin; row < end; row++) {
        const int64_t at = row * source->channels + channel;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            const float gradient = dy[at + i];
            const float g = !y || y[at + i] > 0.0f ? gradient : 0.0f;
            const float normalized = (x[at + i] - mean[i]) * rstd[i];
            sums->first[i] += (double)g;
            sums->second[i] += (double)g * (double)normalized;
        }
    }
}

/* Both sums over all rows, for `count` channels from `channel` on. */
static void sum_group(const struct df_backend *backend, const struct sum_source *source, int64_t rows,
                      int64_t channel, int64_t count, struct channel_sums *total)
{
    struct channel_sums partial[MAX_CHUNKS];
    const int64_t chunks = df_min_i64(MAX_CHUNKS, (rows + MIN_ROWS - 1) / MIN_ROWS);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        const int64_t begin = rows * chunk / chunks, end = rows * (chunk + 1) / chunks;
        memset(&partial[chunk], 0, sizeof(partial[chunk]));
        if (source->dy)
            sum_gradients(source, begin, end, channel, count, &partial[chunk]);
        else
            sum_moments(source, begin, end, channel, count, &partial[chunk]);
    }
    memset(total, 0, sizeof(*total));
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        for (int64_t i = 0; i < count; i++) {
            total->first[i] += partial[chunk].first[i];
            total->second[i] += partial[chunk].second[i];
        }
    }
}

/* Writes save_mean and save_rstd (biased variance) and moves the running statistics (unbiased variance). */
static void batch_statistics(const struct df_backend *backend, const struct df_batchnorm *norm,
                             const float *x)
{
    const struct sum_source source = {.x = x, .channels = norm->channels};
    const double rows = (double)norm->rows;
    struct channel_sums sums;
    for (int64_t channel = 0; channel < norm->channels; channel += GROUP) {
        const int64_t count = df_min_i64(GROUP, norm->channels - channel);
        sum_group(backend, &source, norm->rows, channel, count, &sums);
        for (int64_t i = 0; i < count; i++) {
            const int64_t c = channel + i;
            const double offset = sums.first[i] / rows;
            const double mean = (double)x[c] + offset;
            const double variance = fmax(sums.second[i] / rows - offset * offset, 0.0);
            const double unbiased = norm->rows > 1 ? variance * (rows / (rows - 1.0)) : variance;
            const double momentum = norm->momentum;
            norm->save_mean[c] = (float)mean;
            norm->save_rstd[c] = (float)(1.0 / sqrt(variance + (double)norm->eps));
            norm->running_mean[c] = (float)((1.0 - momentum) * norm->running_mean[c] + momentum * mean);
            norm->running_var[c] = (float)((1.0 - momentum) * norm->running_var[c] + momentum * unbiased);
        }
    }
}

DF_MULTIVERSION static void normalize_rows(const struct df_batchnorm *norm, bool training, const float *x,
                                           int64_t begin, int64_t end, float *y)
{
    for (int64_t channel = 0; channel < norm->channels; channel += GROUP) {
        const int64_t count = df_min_i64(GROUP, norm->channels - channel);
        const float *mean = (training ? norm->save_mean : norm->running_mean) + channel;
        const float *gamma = norm->gamma + channel, *beta = norm->beta + channel;
        const bool relu = norm->relu;
        float rstd[GROUP];
        for (int64_t i = 0; i < count; i++)
            rstd[i] = training ? norm->save_rstd[channel + i]
                               : 1.0f / sqrtf(norm->running_var[channel + i] + norm->eps);
        for (int64_t row = begin; row < end; row++) {
            const int64_t at = row * norm->channels + channel;
#pragma omp simd
            for (int64_t i = 0; i < count; i++) {
                const float value = (x[at + i] - mean[i]) * rstd[i] * gamma[i] + beta[i];
                y[at + i] = relu && value < 0.0f ? 0.0f : value; /* keeps NaN */
            }
        }
    }
}

int df_cpu_batchnorm_forward(struct df_backend *backend, const struct df_batchnorm *norm, bool training,
                             const float *x, float *y)
{
    if (training)
        batch_statistics(backend, norm, x);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < norm->rows; row += APPLY_ROWS)
        normalize_rows(norm, training, x, row, df_min_i64(row + APPLY_ROWS, norm->rows), y);
    return 0;
}

/* dx = gamma * rstd * (g - mean(g) - n * mean(g * n)); dgamma and dbeta hold the sums of g * n and g. */
DF_MULTIVERSION static void gradient_rows(const struct sum_source *source, int64_t begin, int64_t end,
                                          const float *gamma, const float *dgamma, const float *dbeta,
                                          float inv_rows, float *dx)
{
    const float *x = source->x, *y = source->y, *dy = source->dy;
    const float *mean = source->mean, *rstd = source->rstd;
    for (int64_t row = begin; row < end; row++) {
        const int64_t at = row * source->channels;
#pragma omp simd
        for (int64_t c = 0; c < source->channels; c++) {
            const float gradient = dy[at + c];
            const float g = !y || y[at + c] > 0.0f ? gradient : 0.0f;
            const float normalized = (x[at + c] - mean[c]) * rstd[c];
            dx[at + c] = gamma[c] * rstd[c] * (g - dbeta[c] * inv_rows - normalized * (dgamma[c] * inv_rows));
        }
    }
}

int df_cpu_batchnorm_backward(struct df_backend *backend, const struct df_batchnorm *norm, const float *x,
                              const float *y, const float *dy, float *dx, float *dgamma, float *dbeta)
{
    const struct sum_source source = {.x = x,
                                      .y = norm->relu ? y : NULL,
                                      .dy = dy,
                                      .mean = norm->save_mean,
                                      .rstd = norm->save_rstd,
                                      .channels = norm->channels};
    struct channel_sums sums;
    for (int64_t channel = 0; channel < norm->channels; channel += GROUP) {
        const int64_t count = df_min_i64(GROUP, norm->channels - channel);
        sum_group(backend, &source, norm->rows, channel, count, &sums);
        for (int64_t i = 0; i < count; i++) {
            dbeta[channel + i] = (float)sums.first[i];
            dgamma[channel + i] = (float)sums.second[i];
        }
    }
    const float inv_rows = (float)(1.0 / (double)norm->rows);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < norm->rows; row += APPLY_ROWS)
        gradient_rows(&source, row, df_min_i64(row + APPLY_ROWS, norm->rows), norm->gamma, dgamma, dbeta,
                      inv_rows, dx);
    return 0;
}
