/* GELU (exact, by erf) and SwiGLU, forward and backward. */
#include "act.h"
#include "bf16_isa.h"
#include "cpu_backend.h"
#include "gelu_bf16.h"

#include "dinoft/size.h"

/* Elements that a thread takes at a time: they stay in the first-level cache. */
#define CHUNK 4096

/* What bfloat16 keeps of a result does not need the finer function. */
DF_INLINE float gelu(enum df_dtype type, float x)
{
    float exponential;
    return x * (type == DF_BF16 ? df_odd_polynomial(&df_rough_cdf, x) : df_normal_cdf_fast(x, &exponential));
}

DF_INLINE float gelu_slope(enum df_dtype type, float x)
{
    const float inv_sqrt_2pi = 0.398942280f;
    float exponential;
    if (type == DF_BF16)
        return df_odd_polynomial(&df_rough_gelu_slope, x);
    const float cdf = df_normal_cdf_fast(x, &exponential);
    return cdf + x * (inv_sqrt_2pi * exponential);
}

DF_INLINE void gelu_loop(enum df_dtype type, const void *x, void *y, int64_t begin, int64_t end)
{
#pragma omp simd
    for (int64_t i = begin; i < end; i++)
        df_act_store(type, y, i, gelu(type, df_act_load(type, x, i)));
}

DF_MULTIVERSION static void gelu_chunk(enum df_dtype type, const void *x, void *y, int64_t begin, int64_t end)
{
    DF_ACT_CALL(type, gelu_loop, x, y, begin, end);
}

DF_INLINE void gelu_gradient_loop(enum df_dtype type, const void *x, const void *dy, void *dx, int64_t begin,
                                  int64_t end)
{
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const float slope = gelu_slope(type, df_act_load(type, x, i));
        df_act_store(type, dx, i, df_act_load(type, dy, i) * slope);
    }
}

DF_MULTIVERSION static void gelu_gradient_chunk(enum df_dtype type, const void *x, const void *dy, void *dx,
                                                int64_t begin, int64_t end)
{
    DF_ACT_CALL(type, gelu_gradient_loop, x, dy, dx, begin, end);
}

/* Whether gelu_bf16_avx512.c replaces the compiler's loops. */
static bool has_own_instructions(struct df_backend *backend)
{
    return backend->compute == DF_BF16 && df_bf16_isa_best() >= DF_BF16_AVX512;
}

int df_cpu_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    const bool own = has_own_instructions(backend);

#pragma omp parallel for num_threads(backend->threads)
    for (int64_t first = 0; first < count; first += CHUNK) {
        const int64_t end = df_min_i64(first + CHUNK, count);
        if (own)
            df_gelu_bf16_avx512((const uint16_t *)x + first, (uint16_t *)y + first, end - first);
        else
            gelu_chunk(backend->compute, x, y, first, end);
    }
    return 0;
}

int df_cpu_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count)
{
    const bool own = has_own_instructions(backend);

#pragma omp parallel for num_threads(backend->threads)
    for (int64_t first = 0; first < count; first += CHUNK) {
        const int64_t end = df_min_i64(first + CHUNK, count);
        if (own)
            df_gelu_gradient_bf16_avx512((const uint16_t *)x + first, (const uint16_t *)dy + first,
                                         (uint16_t *)dx + first, end - first);
        else
            gelu_gradient_chunk(backend->compute, x, dy, dx, first, end);
    }
    return 0;
}

DF_INLINE void swiglu_loop(enum df_dtype type, const void *x, void *y, int64_t row, int64_t hidden)
{
    const int64_t gates = row * 2 * hidden, values = gates + hidden;
#pragma omp simd
    for (int64_t i = 0; i < hidden; i++) {
        const float gate = df_act_load(type, x, gates + i);
        const float silu = gate * df_sigmoid_fast(gate);
        df_act_store(type, y, row * hidden + i, silu * df_act_load(type, x, values + i));
    }
}

DF_MULTIVERSION static void swiglu_row(enum df_dtype type, const void *x, void *y, int64_t row,
                                       int64_t hidden)
{
    DF_ACT_CALL(type, swiglu_loop, x, y, row, hidden);
}

/* Reads both halves of an element before it writes them, so that dx may be x. */
DF_INLINE void swiglu_gradient_loop(enum df_dtype type, const void *x, const void *dy, void *dx, int64_t row,
                                    int64_t hidden)
{
    const int64_t gates = row * 2 * hidden, values = gates + hidden;
#pragma omp simd
    for (int64_t i = 0; i < hidden; i++) {
        const float gate = df_act_load(type, x, gates + i), value = df_act_load(type, x, values + i);
        const float gradient = df_act_load(type, dy, row * hidden + i);
        const float sigmoid = df_sigmoid_fast(gate);
        const float silu = gate * sigmoid;
        df_act_store(type, dx, gates + i, gradient * value * (sigmoid + silu * (1.0f - sigmoid)));
        df_act_store(type, dx, values + i, gradient * silu);
    }
}

DF_MULTIVERSION static void swiglu_gradient_row(enum df_dtype type, const void *x, const void *dy, void *dx,
                                                int64_t row, int64_t hidden)
{
    DF_ACT_CALL(type, swiglu_gradient_loop, x, dy, dx, row, hidden);
}

int df_cpu_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        swiglu_row(backend->compute, x, y, row, hidden);
    return 0;
}

int df_cpu_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
                           int64_t hidden)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        swiglu_gradient_row(backend->compute, x, dy, dx, row, hidden);
    return 0;
}
