/* Rows divided by their Euclidean norms: x, y float32 [M, C].
 *
 * Geometry: a warp has a row, a block eight of them. Bound by memory: a row is read twice, the second time
 * from the cache, and written once. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int block_rows = vector_threads / warp_lanes;
constexpr float least_norm = 1e-12f;

__global__ void __launch_bounds__(vector_threads)
    normalize_rows(const float *x, int64_t rows, int columns, float *y)
{
    const int64_t row = (int64_t)blockIdx.x * block_rows + threadIdx.x / warp_lanes;
    const int lane = (int)threadIdx.x % warp_lanes;
    float squares = 0.0f;

    if (row >= rows)
        return;
    for (int i = lane; i < columns; i += warp_lanes) {
        const float value = x[row * columns + i];
        squares += value * value;
    }
    const float norm = fmaxf(sqrtf(warp_sum(squares)), least_norm);
    for (int i = lane; i < columns; i += warp_lanes)
        y[row * columns + i] = x[row * columns + i] / norm;
}

} // namespace

cudaError_t df_launch_normalize_rows(cudaStream_t stream, const float *x, int64_t rows, int64_t columns,
                                     float *y)
{
    if (rows == 0 || columns == 0)
        return cudaSuccess;
    DF_LAUNCH(normalize_rows, dim3((unsigned)ceil_div(rows, block_rows)), vector_threads, 0, stream, x, rows,
              (int)columns, y);
    return cudaGetLastError();
}
