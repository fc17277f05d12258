/* AdamW with decoupled weight decay, in PyTorch's order of operations. */
#include "cpu_backend.h"
#include "vector_math.h"

#include "dinoft/size.h"

#include <math.h>

#define CHUNK 4096

DF_MULTIVERSION static void adamw_chunk(const struct df_adamw_scalars *s, float factor, float *p,
                                        const float *gradient, float *m, float *v, int64_t count)
{
    const struct df_adamw_scalars k = *s;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const float g = gradient[i] * factor;
        const float first = m[i] + k.one_minus_beta1 * (g - m[i]);
        const float second = v[i] * k.beta2 + k.one_minus_beta2 * g * g;
        const float denominator = sqrtf(second) / k.bias2_sqrt + k.eps;
        p[i] = p[i] * k.decay - k.step_size * first / denominator;
        m[i] = first;
        v[i] = second;
    }
}

int df_cpu_adamw(struct df_backend *backend, const struct df_adamw_scalars *scalars,
                 const struct df_gradient_scale *scale, float *parameter, const float *gradient, float *m,
                 float *v, int64_t count)
{
    if (!isfinite(scale->norm))
        return 0;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < count; i += CHUNK)
        adamw_chunk(scalars, scale->factor, parameter + i, gradient + i, m + i, v + i,
                    df_min_i64(CHUNK, count - i));
    return 0;
}
