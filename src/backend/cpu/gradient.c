/* The gradients of a step's parts added up, and their norm. */
#include "cpu_backend.h"
#include "cpu_context.h"

#include "dinoft/error.h"
#include "dinoft/multiversion.h"
#include "dinoft/size.h"

#include <math.h>

#define CHUNK 4096

DF_MULTIVERSION static void add_chunk(const float *gradient, float weight, float *sum, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        sum[i] += weight * gradient[i];
}

int df_cpu_add_gradient(struct df_backend *backend, const float *gradient, int64_t count,
                        const struct df_loss_sum *loss, float *sum, struct df_loss_sum *total)
{
    if (loss->weight == 0.0)
        return 0;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < count; i += CHUNK)
        add_chunk(gradient + i, (float)loss->weight, sum + i, df_min_i64(CHUNK, count - i));
    total->sum += loss->sum;
    total->count += loss->count;
    total->weight += loss->weight;
    return 0;
}

DF_MULTIVERSION static double squares_of_chunk(const float *gradient, int64_t count)
{
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += (double)gradient[i] * (double)gradient[i];
    return sum;
}

/* In an order that does not depend on the number of threads. -1 with the error set: no memory. */
static int sum_of_squares(struct df_backend *backend, const float *gradient, int64_t count, double *sum)
{
    const int64_t chunks = (count + CHUNK - 1) / CHUNK;
    double *partial = df_cpu_scratch(backend, (size_t)(chunks + 1) * sizeof *partial);

    if (!partial)
        return -1;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < chunks; i++)
        partial[i] = squares_of_chunk(gradient + i * CHUNK, df_min_i64(CHUNK, count - i * CHUNK));
    *sum = 0.0;
    for (int64_t i = 0; i < chunks; i++)
        *sum += partial[i];
    return 0;
}

int df_cpu_gradient_scale(struct df_backend *backend, const float *gradient, int64_t count,
                          const struct df_loss_sum *total, double longest, struct df_gradient_scale *scale)
{
    double squares = 0.0;

    DF_TRY(sum_of_squares(backend, gradient, count, &squares));
    const double mean = !total ? 1.0 : total->weight > 0.0 ? 1.0 / total->weight : 0.0;
    scale->norm = (float)(sqrt(squares) * mean);
    /* Where the norm is NaN so is the factor, as in PyTorch. */
    float clip = longest > 0.0 ? (float)longest / (scale->norm + 1e-6f) : 1.0f;
    if (clip > 1.0f)
        clip = 1.0f;
    scale->factor = (float)mean * clip;
    return 0;
}
