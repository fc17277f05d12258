/* The rows of a matrix, each times a number: x, y [rows, cols], scale [rows], float32. y may be x.
 *
 * Geometry: a thread has one element, a block 256 side by side; the grid lies along the matrix.
 *
 * Bound by memory, or by its launch: it is for LoRA's B, some ten thousand elements. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

__global__ void __launch_bounds__(vector_threads)
    scale_rows(const float *x, const float *scale, float *y, int64_t cols, int64_t count)
{
    const int64_t at = (int64_t)blockIdx.x * vector_threads + threadIdx.x;
    if (at < count)
        y[at] = x[at] * scale[at / cols];
}

} // namespace

cudaError_t df_launch_scale_rows(cudaStream_t stream, const float *x, const float *scale, float *y,
                                 int64_t rows, int64_t cols)
{
    const int64_t count = rows * cols;
    if (count == 0)
        return cudaSuccess;
    DF_LAUNCH(scale_rows, (unsigned)ceil_div(count, vector_threads), vector_threads, 0, stream, x, scale, y,
              cols, count);
    return cudaGetLastError();
}
