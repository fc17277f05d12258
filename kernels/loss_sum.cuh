/* The loss of an image's pixels as partial sums of blocks, which one block adds up in their order. */
#ifndef DINOFT_LOSS_SUM_CUH
#define DINOFT_LOSS_SUM_CUH

#include "kernels.h"
#include "types.cuh"

constexpr int loss_finish_threads = 1024;

/* The sum over all threads of the block, for its first one. */
__device__ __forceinline__ struct df_loss_sum block_loss(struct df_loss_sum own)
{
    return {block_sum(own.sum), block_sum(own.count), block_sum(own.weight)};
}

/* Reduces the values of all threads of the block to its partial sum. */
__device__ __forceinline__ void store_block_loss(struct df_loss_sum own, struct df_loss_sum *partial)
{
    own = block_loss(own);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = own;
}

static __global__ void __launch_bounds__(loss_finish_threads)
    loss_finish_kernel(const struct df_loss_sum *partial, int64_t blocks, const float *more,
                       struct df_loss_sum *loss)
{
    struct df_loss_sum own = {0.0, 0, 0.0};

    for (int64_t i = threadIdx.x; i < blocks; i += loss_finish_threads) {
        own.sum += partial[i].sum;
        own.count += partial[i].count;
        own.weight += partial[i].weight;
    }
    own = block_loss(own);
    if (threadIdx.x > 0)
        return;
    if (more)
        own.sum += (double)*more;
    *loss = own;
}

/* Host: *loss = the sum of so many partial sums, and of *more where it is not null. */
static inline void finish_loss(cudaStream_t stream, const struct df_loss_sum *partial, int64_t blocks,
                               const float *more, struct df_loss_sum *loss)
{
    DF_LAUNCH(loss_finish_kernel, dim3(1), dim3(loss_finish_threads), 0, stream, partial, blocks, more, loss);
}

#endif
