/* The gradients of a step's parts added up, and their norm: gradient, sum [count] float32.
 *
 * Geometry: adding, a thread takes 4 elements and a block 1024. Of the norm, a block takes every nth 1024
 * elements of at most 512 blocks, and one block adds up the blocks' sums in their order. Bound by memory: 8
 * bytes read and 4 written for an element, or 4 read. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int block_elements = vector_threads * 4, most_blocks = 512;

/* The block's first thread adds the part's loss. */
__global__ void __launch_bounds__(vector_threads)
    add_gradient(const float *gradient, int64_t count, const struct df_loss_sum *loss, float *sum,
                 struct df_loss_sum *total)
{
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * 4, left = count - at;
    const double weight = loss->weight;
    if (weight == 0.0)
        return;
    if (at == 0) {
        total->sum += loss->sum;
        total->count += loss->count;
        total->weight += weight;
    }
    if (left <= 0)
        return;
    float g[4], s[4];
    load_first(gradient + at, left, g);
    load_first(sum + at, left, s);
#pragma unroll
    for (int i = 0; i < 4; i++)
        s[i] += (float)weight * g[i];
    store_first(sum + at, left, s);
}

/* In double, as on the CPU: from 1.8e19 on a square is no float. Where doubles are slowest, at a 64th of the
 * rate of floats, the two operations for each element (conversion and sum) still go about as fast as memory
 * gives them. */
__global__ void __launch_bounds__(vector_threads)
    sum_squares(const float *gradient, int64_t count, double *partial)
{
    double sum = 0.0;

    for (int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * 4; at < count;
         at += (int64_t)gridDim.x * block_elements) {
        float g[4];
        load_first(gradient + at, count - at, g);
#pragma unroll
        for (int i = 0; i < 4; i++)
            sum += (double)g[i] * (double)g[i];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

/* Where the norm is NaN so is the factor, as in PyTorch. */
__global__ void __launch_bounds__(most_blocks)
    scale_gradient(const double *partial, int blocks, const struct df_loss_sum *total, float longest,
                   struct df_gradient_scale *scale)
{
    const double squares = block_sum((int)threadIdx.x < blocks ? partial[threadIdx.x] : 0.0);
    if (threadIdx.x > 0)
        return;
    const double mean = !total ? 1.0 : total->weight > 0.0 ? 1.0 / total->weight : 0.0;
    const float norm = (float)(sqrt(squares) * mean);
    float clip = longest > 0.0f ? longest / (norm + 1e-6f) : 1.0f;
    if (clip > 1.0f)
        clip = 1.0f;
    *scale = {norm, (float)mean * clip};
}

int blocks_for(int64_t count)
{
    return (int)min((int64_t)most_blocks, ceil_div(count, (int64_t)block_elements));
}

} // namespace

cudaError_t df_launch_add_gradient(cudaStream_t stream, const float *gradient, int64_t count,
                                   const struct df_loss_sum *loss, float *sum, struct df_loss_sum *total)
{
    /* One block at least: the loss is to be added too. */
    const int64_t blocks = max((int64_t)1, ceil_div(count, (int64_t)block_elements));
    DF_LAUNCH(add_gradient, dim3((unsigned)blocks), vector_threads, 0, stream, gradient, count, loss, sum,
              total);
    return cudaGetLastError();
}

size_t df_launch_gradient_scale_scratch(int64_t count)
{
    return (size_t)blocks_for(count) * sizeof(double);
}

cudaError_t df_launch_gradient_scale(cudaStream_t stream, const float *gradient, int64_t count,
                                     const struct df_loss_sum *total, double longest, void *scratch,
                                     struct df_gradient_scale *scale)
{
    double *const partial = (double *)scratch;
    const int blocks = blocks_for(count);

    if (blocks > 0)
        DF_LAUNCH(sum_squares, dim3((unsigned)blocks), vector_threads, 0, stream, gradient, count, partial);
    DF_LAUNCH(scale_gradient, dim3(1), dim3(most_blocks), 0, stream, partial, blocks, total, (float)longest,
              scale);
    return cudaGetLastError();
}
