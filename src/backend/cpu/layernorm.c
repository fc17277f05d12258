/* LayerNorm over the channels of chosen tokens, forward and backward, one row at a time. */
#include "act.h"
#include "cpu_backend.h"

#include <math.h>

/* Offset of the i-th chosen row in x [B, N, D]. */
static int64_t row_offset(struct df_token_rows rows, int64_t dim, int64_t i)
{
    return ((i / rows.rows) * rows.tokens + rows.first + i % rows.rows) * dim;
}

/* The variance is taken about the mean in a second pass over the row, which is in the cache by then: a
 * difference of two large sums would lose the digits that matter. */
DF_INLINE void normalize_loop(enum df_dtype type, const float *x, int64_t dim, const float *gamma,
                              const float *beta, float eps, void *y, int64_t at, float *mean_out,
                              float *rstd_out)
{
    float sum = 0.0f, squares = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < dim; i++)
        sum += x[i];
    const float mean = sum / (float)dim;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < dim; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1.0f / sqrtf(squares / (float)dim + eps);
#pragma omp simd
    for (int64_t i = 0; i < dim; i++)
        df_act_store(type, y, at + i, (x[i] - mean) * rstd * gamma[i] + beta[i]);
    *mean_out = mean;
    *rstd_out = rstd;
}

/* The row's result goes to y from element `at` on. */
DF_MULTIVERSION static void normalize_row(enum df_dtype type, const float *x, int64_t dim, const float *gamma,
                                          const float *beta, float eps, void *y, int64_t at, float *mean,
                                          float *rstd)
{
    DF_ACT_CALL(type, normalize_loop, x, dim, gamma, beta, eps, y, at, mean, rstd);
}

/* With g = dy * gamma and n = (x - mean) * rstd: dx += rstd * (g - mean(g) - n * mean(g * n)). */
DF_INLINE void normalize_gradient_loop(enum df_dtype type, const void *dy, int64_t at, const float *x,
                                       int64_t dim, const float *gamma, float mean, float rstd, float *dx)
{
    float sum_g = 0.0f, sum_gn = 0.0f;
#pragma omp simd reduction(+ : sum_g, sum_gn)
    for (int64_t i = 0; i < dim; i++) {
        const float g = df_act_load(type, dy, at + i) * gamma[i];
        sum_g += g;
        sum_gn += g * ((x[i] - mean) * rstd);
    }
    const float mean_g = sum_g / (float)dim, mean_gn = sum_gn / (float)dim;
#pragma omp simd
    for (int64_t i = 0; i < dim; i++)
        dx[i] += rstd * (df_act_load(type, dy, at + i) * gamma[i] - mean_g - (x[i] - mean) * rstd * mean_gn);
}

/* The row's dy stands from element `at` on. */
DF_MULTIVERSION static void normalize_gradient_row(enum df_dtype type, const void *dy, int64_t at,
                                                   const float *x, int64_t dim, const float *gamma,
                                                   float mean, float rstd, float *dx)
{
    DF_ACT_CALL(type, normalize_gradient_loop, dy, at, x, dim, gamma, mean, rstd, dx);
}

int df_cpu_layernorm_forward(struct df_backend *backend, const float *x, struct df_token_rows rows,
                             int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                             enum df_dtype type, float *mean, float *rstd)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < rows.batch * rows.rows; i++) {
        float row_mean, row_rstd;
        normalize_row(type, x + row_offset(rows, dim, i), dim, gamma, beta, eps, y, i * dim, &row_mean,
                      &row_rstd);
        if (mean) {
            mean[i] = row_mean;
            rstd[i] = row_rstd;
        }
    }
    return 0;
}

int df_cpu_layernorm_backward(struct df_backend *backend, const void *dy, enum df_dtype type, const float *x,
                              struct df_token_rows rows, int64_t dim, const float *gamma, const float *mean,
                              const float *rstd, float *dx)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < rows.batch * rows.rows; i++) {
        const int64_t offset = row_offset(rows, dim, i);
        normalize_gradient_row(type, dy, i * dim, x + offset, dim, gamma, mean[i], rstd[i], dx + offset);
    }
    return 0;
}
