/* The moving average of parameters, as torch.lerp finds it, from the nearer end: value, average [count]
 * float32.
 *
 * Geometry: a thread takes 4 elements, a block 1024. Bound by memory: 8 bytes read and 4 written for an
 * element. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

__global__ void __launch_bounds__(vector_threads)
    moving_average(const float *value, const float *share, float *average, int64_t count)
{
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * 4, left = count - at;
    if (left <= 0)
        return;
    const float weight = *share;
    float to[4], from[4];
    load_first(value + at, left, to);
    load_first(average + at, left, from);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float way = to[i] - from[i];
        from[i] = weight < 0.5f ? from[i] + weight * way : to[i] - way * (1.0f - weight);
    }
    store_first(average + at, left, from);
}

} // namespace

cudaError_t df_launch_moving_average(cudaStream_t stream, const float *value, const float *weight,
                                     float *average, int64_t count)
{
    if (count == 0)
        return cudaSuccess;
    DF_LAUNCH(moving_average, dim3((unsigned)ceil_div(count, vector_threads * 4)), vector_threads, 0, stream,
              value, weight, average, count);
    return cudaGetLastError();
}
