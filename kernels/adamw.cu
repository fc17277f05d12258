/* AdamW with decoupled weight decay on all parameters at once: parameter, gradient, m, v [count] float32, in
 * PyTorch's order of operations: its scalars are double until they meet the tensors.
 *
 * Geometry: a thread takes 4 elements (16 bytes of each array), a block 1024. Bound by memory: 16 bytes read
 * and 12 written for an element. */
#include "kernels.h"
#include "vectors.cuh"

#include <math.h>

namespace
{

struct scalars {
    float decay, one_minus_beta1, beta2, one_minus_beta2, step_size, bias2_sqrt, eps;
};

struct scalars make_scalars(const struct df_adamw &settings)
{
    const double bias1 = 1.0 - pow(settings.beta1, (double)settings.step);
    const double bias2 = 1.0 - pow(settings.beta2, (double)settings.step);
    struct scalars s;
    s.decay = (float)(1.0 - settings.lr * settings.weight_decay);
    s.one_minus_beta1 = (float)(1.0 - settings.beta1);
    s.beta2 = (float)settings.beta2;
    s.one_minus_beta2 = (float)(1.0 - settings.beta2);
    s.step_size = (float)(settings.lr / bias1);
    s.bias2_sqrt = (float)sqrt(bias2);
    s.eps = (float)settings.eps;
    return s;
}

__global__ void __launch_bounds__(vector_threads)
    adamw(struct scalars s, float *parameter, const float *gradient, float *m, float *v, int64_t count)
{
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * 4, left = count - at;
    if (left <= 0)
        return;
    float p[4], g[4], first[4], second[4];
    load_first(parameter + at, left, p);
    load_first(gradient + at, left, g);
    load_first(m + at, left, first);
    load_first(v + at, left, second);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        first[i] += s.one_minus_beta1 * (g[i] - first[i]);
        second[i] = second[i] * s.beta2 + s.one_minus_beta2 * g[i] * g[i];
        const float denominator = sqrtf(second[i]) / s.bias2_sqrt + s.eps;
        p[i] = p[i] * s.decay - s.step_size * first[i] / denominator;
    }
    store_first(parameter + at, left, p);
    store_first(m + at, left, first);
    store_first(v + at, left, second);
}

} // namespace

cudaError_t df_launch_adamw(cudaStream_t stream, const struct df_adamw *settings, float *parameter,
                            const float *gradient, float *m, float *v, int64_t count)
{
    if (count == 0)
        return cudaSuccess;
    DF_LAUNCH(adamw, dim3((unsigned)ceil_div(count, vector_threads * 4)), vector_threads, 0, stream,
              make_scalars(*settings), parameter, gradient, m, v, count);
    return cudaGetLastError();
}
