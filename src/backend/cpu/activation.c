/* GELU (exact, by erf) and SwiGLU, forward and backward. */
#include "cpu_backend.h"
#include "vector_math.h"

#include "dinoft/size.h"

/* Elements that a thread takes at a time: 16 KiB of float32 stay in the first-level cache. */
#define CHUNK 4096

DF_MULTIVERSION static void gelu_chunk(const float *x, float *y, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float exponential;
        y[i] = x[i] * df_normal_cdf_fast(x[i], &exponential);
    }
}

DF_MULTIVERSION static void gelu_gradient_chunk(const float *x, const float *dy, float *dx, int64_t count)
{
    const float inv_sqrt_2pi = 0.398942280f;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float exponential;
        const float cdf = df_normal_cdf_fast(x[i], &exponential);
        dx[i] = dy[i] * (cdf + x[i] * (inv_sqrt_2pi * exponential));
    }
}

int df_cpu_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    const float *in = x;
    float *out = y;
#pragma omp parallel for num_threads(backend->threads) if (count > CHUNK)
    for (int64_t first = 0; first < count; first += CHUNK)
        gelu_chunk(in + first, out + first, df_min_i64(CHUNK, count - first));
    return 0;
}

int df_cpu_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count)
{
    const float *in = x, *gradient = dy;
    float *out = dx;
#pragma omp parallel for num_threads(backend->threads) if (count > CHUNK)
    for (int64_t first = 0; first < count; first += CHUNK)
        gelu_gradient_chunk(in + first, gradient + first, out + first, df_min_i64(CHUNK, count - first));
    return 0;
}

DF_MULTIVERSION static void swiglu_row(const float *x, float *y, int64_t hidden)
{
    const float *gate = x, *value = x + hidden;
#pragma omp simd
    for (int64_t i = 0; i < hidden; i++)
        y[i] = gate[i] * df_sigmoid_fast(gate[i]) * value[i];
}

/* Reads both halves of an element before it writes them, so that dx may be x. */
DF_MULTIVERSION static void swiglu_gradient_row(const float *x, const float *dy, float *dx, int64_t hidden)
{
#pragma omp simd
    for (int64_t i = 0; i < hidden; i++) {
        const float gate = x[i], value = x[hidden + i];
        const float sigmoid = df_sigmoid_fast(gate);
        const float silu = gate * sigmoid;
        dx[i] = dy[i] * value * (sigmoid + silu * (1.0f - sigmoid));
        dx[hidden + i] = dy[i] * silu;
    }
}

int df_cpu_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden)
{
    const float *in = x;
    float *out = y;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        swiglu_row(in + row * 2 * hidden, out + row * hidden, hidden);
    return 0;
}

int df_cpu_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
                           int64_t hidden)
{
    const float *in = x, *gradient = dy;
    float *out = dx;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        swiglu_gradient_row(in + row * 2 * hidden, gradient + row * hidden, out + row * 2 * hidden, hidden);
    return 0;
}
