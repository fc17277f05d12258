/* What the two halves of attention share: float32 (attention.c) and bfloat16 (attention_bf16.c). Private to
 * src/backend/cpu. */
#ifndef DINOFT_CPU_ATTENTION_H
#define DINOFT_CPU_ATTENTION_H

#include "softmax_bf16.h"
#include "vector_math.h"

#include "dinoft/backend.h"

#include <math.h>

struct attention {
    int64_t tokens, heads, head_size;
    int64_t dim; /* a row of out */
    int64_t row; /* a row of qkv */
    float scale;
    /* bfloat16: what this processor does it with */
    df_gemm_bf16_function *gemm;
    df_softmax_function *softmax;
    df_softmax_backward_function *softmax_backward;
};

struct attention attention_of(struct df_attention_shape shape);

/* Where in qkv a head's q starts, in elements; its k lies dim further on, its v 2 * dim. */
static inline int64_t head_offset(const struct attention *a, int64_t image, int64_t head)
{
    return image * a->tokens * a->row + head * a->head_size;
}

/* Independent partial results of a row's reductions: they vectorise on every compiler, and in one order on
 * all. */
#define LANES 16

/* A NaN is passed over: the sum of the exponentials shows it. */
DF_INLINE float largest_of(const float *x, int64_t count)
{
    float largest = -INFINITY;

#pragma omp simd reduction(max : largest)
    for (int64_t j = 0; j < count; j++)
        largest = x[j] > largest ? x[j] : largest;
    return largest;
}

DF_INLINE float sum_of(const float *x, int64_t count)
{
    float lanes[LANES] = {0.0f};
    int64_t j = 0;

    for (; j + LANES <= count; j += LANES) {
        for (int l = 0; l < LANES; l++)
            lanes[l] += x[j + l];
    }
    for (; j < count; j++)
        lanes[0] += x[j];
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int l = 0; l < width; l++)
            lanes[l] += lanes[l + width];
    }
    return lanes[0];
}

/* Bytes for every thread of a scratch buffer. NULL with the error set. */
void *attention_scratch(struct df_backend *backend, const struct attention *a, size_t bytes_per_thread);

int attention_forward_bf16(struct df_backend *backend, struct df_attention_shape shape, const uint16_t *qkv,
                           uint16_t *out, float *lse);
int attention_backward_bf16(struct df_backend *backend, struct df_attention_shape shape, const uint16_t *qkv,
                            const uint16_t *out, const float *lse, const uint16_t *dout, uint16_t *dqkv,
                            bool need_dk);

#endif
