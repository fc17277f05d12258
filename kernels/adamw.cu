/* AdamW with decoupled weight decay: parameter, gradient, m, v [count] float32, in PyTorch's order of
 * operations.
 *
 * Geometry: a thread takes 4 elements (16 bytes of each array), a block 1024. Bound by memory: 16 bytes read
 * and 12 written for an element. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

__global__ void __launch_bounds__(vector_threads)
    adamw(const struct df_adamw_scalars *scalars, const struct df_gradient_scale *scale, float *parameter,
          const float *gradient, float *m, float *v, int64_t count)
{
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * 4, left = count - at;
    if (left <= 0)
        return;
    const struct df_adamw_scalars s = *scalars;
    const struct df_gradient_scale of_all = *scale;
    float p[4], gradients[4], first[4], second[4];
    load_first(parameter + at, left, p);
    load_first(gradient + at, left, gradients);
    load_first(m + at, left, first);
    load_first(v + at, left, second);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float g = gradients[i] * of_all.factor;
        first[i] += s.one_minus_beta1 * (g - first[i]);
        second[i] = second[i] * s.beta2 + s.one_minus_beta2 * g * g;
        const float denominator = sqrtf(second[i]) / s.bias2_sqrt + s.eps;
        p[i] = p[i] * s.decay - s.step_size * first[i] / denominator;
    }
    if (!(of_all.norm < INFINITY)) /* asked this late, as the loads need not wait for it */
        return;
    store_first(parameter + at, left, p);
    store_first(m + at, left, first);
    store_first(v + at, left, second);
}

} // namespace

cudaError_t df_launch_adamw(cudaStream_t stream, const struct df_adamw_scalars *scalars,
                            const struct df_gradient_scale *scale, float *parameter, const float *gradient,
                            float *m, float *v, int64_t count)
{
    if (count == 0)
        return cudaSuccess;
    DF_LAUNCH(adamw, dim3((unsigned)ceil_div(count, vector_threads * 4)), vector_threads, 0, stream, scalars,
              scale, parameter, gradient, m, v, count);
    return cudaGetLastError();
}
