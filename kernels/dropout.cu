/* Dropout: x, y act [rows, cols]. y may be x.
 *
 * Geometry: a block of 256 threads goes along a row, an element a thread; the grid is (blocks along a row,
 * rows).
 *
 * Bound by the 64-bit products of the generator, some ten instructions each, about as much as by memory. */
#include "kernels.h"
#include "vectors.cuh"

#include "../src/backend/dropout_bits.h"

namespace
{

template <typename T>
__global__ void __launch_bounds__(vector_threads)
    dropout(const T *x, const struct df_dropout_draw *draw, uint64_t stream, uint32_t bound, float factor,
            T *y, int64_t rows, int64_t cols)
{
    const int64_t column = (int64_t)blockIdx.x * vector_threads + threadIdx.x;
    if (column >= cols)
        return;
    const uint64_t key = draw->key, first = draw->first_row;
    for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
        const uint64_t bits = df_dropout_row(key, stream, first + (uint64_t)row, (uint64_t)cols);
        float value[1];
        load_vector(x + row * cols + column, value);
        value[0] = df_dropout_bits(bits, (uint64_t)column) < bound ? 0.0f : factor * value[0];
        store_global(y + row * cols + column, value);
    }
}

} // namespace

cudaError_t df_launch_dropout(cudaStream_t stream, const void *x, const struct df_dropout_draw *draw,
                              uint64_t number, double probability, void *y, enum df_dtype type, int64_t rows,
                              int64_t cols)
{
    if (rows * cols == 0)
        return cudaSuccess;
    const dim3 grid((unsigned)ceil_div(cols, (int64_t)vector_threads),
                    (unsigned)min(rows, (int64_t)max_grid_y));
    const float factor = (float)(1.0 / (1.0 - probability));
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        DF_LAUNCH(dropout<T>, grid, vector_threads, 0, stream, static_cast<const T *>(x), draw, number,
                  df_dropout_bound(probability), factor, static_cast<T *>(y), rows, cols);
        return cudaGetLastError();
    });
}
