/* Rotary position embedding of q and k, in place. */
#include "act.h"
#include "cpu_backend.h"

/* Channels i and i + half of a head turn together, each with its own row of the tables:
 *   out[i]        = x[i] * cos[i]               - x[i + half] * sin[i]
 *   out[i + half] = x[i + half] * cos[i + half] + x[i] * sin[i + half]
 * The inverse is the transpose of that map. The heads stand in x from element `at` on. */
DF_INLINE void rotate_loop(enum df_dtype type, void *x, int64_t at, int64_t heads, int64_t half,
                           const float *sin, const float *cos, bool inverse)
{
    const float *sin_high = sin + half, *cos_high = cos + half;
    const float *from_high = inverse ? sin_high : sin, *from_low = inverse ? sin : sin_high;
    const float sign = inverse ? -1.0f : 1.0f;
    for (int64_t head = 0; head < heads; head++) {
        const int64_t low = at + head * 2 * half, high = low + half;
#pragma omp simd
        for (int64_t i = 0; i < half; i++) {
            const float a = df_act_load(type, x, low + i), b = df_act_load(type, x, high + i);
            df_act_store(type, x, low + i, a * cos[i] - b * (sign * from_high[i]));
            df_act_store(type, x, high + i, b * cos_high[i] + a * (sign * from_low[i]));
        }
    }
}

DF_MULTIVERSION static void rotate_heads(enum df_dtype type, void *x, int64_t at, int64_t heads, int64_t half,
                                         const float *sin, const float *cos, bool inverse)
{
    DF_ACT_CALL(type, rotate_loop, x, at, heads, half, sin, cos, inverse);
}

int df_cpu_rope(struct df_backend *backend, void *qkv, struct df_attention_shape shape, int64_t prefix_tokens,
                const float *sin, const float *cos, bool inverse)
{
    const int64_t patches = shape.tokens - prefix_tokens, dim = shape.heads * shape.head_size;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < shape.batch * patches; i++) {
        const int64_t image = i / patches, patch = i % patches;
        const int64_t at = (image * shape.tokens + prefix_tokens + patch) * 3 * dim;
        /* q and k lie side by side: twice the heads. */
        rotate_heads(backend->compute, qkv, at, 2 * shape.heads, shape.head_size / 2,
                     sin + patch * shape.head_size, cos + patch * shape.head_size, inverse);
    }
    return 0;
}
