/* The loss of an image's pixels as partial sums of blocks, which one block adds up in their order. */
#ifndef DINOFT_LOSS_SUM_CUH
#define DINOFT_LOSS_SUM_CUH

#include "kernels.h"
#include "types.cuh"

constexpr int loss_finish_threads = 1024;

/* Reduces the values of all threads of the block to its partial sum. */
__device__ __forceinline__ void store_block_loss(double sum, int64_t count, struct df_loss_sum *partial)
{
    sum = block_sum(sum);
    count = block_sum(count);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = {sum, count};
}

static __global__ void __launch_bounds__(loss_finish_threads)
    loss_finish_kernel(const struct df_loss_sum *partial, int64_t blocks, struct df_loss_sum *loss)
{
    double sum = 0.0;
    int64_t count = 0;

    for (int64_t i = threadIdx.x; i < blocks; i += loss_finish_threads) {
        sum += partial[i].sum;
        count += partial[i].count;
    }
    sum = block_sum(sum);
    count = block_sum(count);
    if (threadIdx.x == 0)
        *loss = {sum, count};
}

/* Host: *loss = the sum of so many partial sums. */
static inline void finish_loss(cudaStream_t stream, const struct df_loss_sum *partial, int64_t blocks,
                               struct df_loss_sum *loss)
{
    DF_LAUNCH(loss_finish_kernel, dim3(1), dim3(loss_finish_threads), 0, stream, partial, blocks, loss);
}

#endif
