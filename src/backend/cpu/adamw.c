/* AdamW with decoupled weight decay, in PyTorch's order of operations: its scalars are double until they meet
 * the float32 tensors. */
#include "cpu_backend.h"
#include "vector_math.h"

#include "dinoft/size.h"

#include <math.h>

#define CHUNK 4096

struct adamw_scalars {
    float decay, one_minus_beta1, beta2, one_minus_beta2, step_size, bias2_sqrt, eps;
};

static struct adamw_scalars adamw_scalars(const struct df_adamw *settings)
{
    const double bias1 = 1.0 - pow(settings->beta1, (double)settings->step);
    const double bias2 = 1.0 - pow(settings->beta2, (double)settings->step);
    return (struct adamw_scalars){
        .decay = (float)(1.0 - settings->lr * settings->weight_decay),
        .one_minus_beta1 = (float)(1.0 - settings->beta1),
        .beta2 = (float)settings->beta2,
        .one_minus_beta2 = (float)(1.0 - settings->beta2),
        .step_size = (float)(settings->lr / bias1),
        .bias2_sqrt = (float)sqrt(bias2),
        .eps = (float)settings->eps,
    };
}

DF_MULTIVERSION static void adamw_chunk(const struct adamw_scalars *s, float *p, const float *g, float *m,
                                        float *v, int64_t count)
{
    const struct adamw_scalars k = *s;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const float first = m[i] + k.one_minus_beta1 * (g[i] - m[i]);
        const float second = v[i] * k.beta2 + k.one_minus_beta2 * g[i] * g[i];
        const float denominator = sqrtf(second) / k.bias2_sqrt + k.eps;
        p[i] = p[i] * k.decay - k.step_size * first / denominator;
        m[i] = first;
        v[i] = second;
    }
}

int df_cpu_adamw(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                 const float *gradient, float *m, float *v, int64_t count)
{
    const struct adamw_scalars scalars = adamw_scalars(settings);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < count; i += CHUNK)
        adamw_chunk(&scalars, parameter + i, gradient + i, m + i, v + i, df_min_i64(CHUNK, count - i));
    return 0;
}
