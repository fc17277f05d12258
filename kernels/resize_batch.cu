/* Decoded images, each of its own size, to a batch of one size: pixels uint8 RGB, packed one after the other,
 * -> image float32 [B, 3, H, W], resized in OpenCV's fixed point (src/data/resize.c says how and why, and the
 * bits are the same) and normalised; masks uint8 -> labels uint8 [B, H, W] by nearest neighbour.
 *
 * Geometry: a block has 128 columns of 16 rows of the result, a thread one column. Where a row of the result
 * lies between rows of the source is worked out once for the block, in shared memory. A thread keeps what it
 * last got from two source rows at its column, so that upsampling reads no source row twice. Grid: (columns /
 * 128, rows / 16, images).
 *
 * Bound by memory where images are upsampled or kept: 12 bytes written for a pixel, coalesced, and the 3
 * bytes or so of source. A warp's loads, 6 single bytes a thread for each source row, lie side by side and
 * are served by the L1 cache. */
#include "kernels.h"
#include "normalize.cuh"
#include "vectors.cuh"

namespace
{

constexpr int columns_of_block = 128, rows_of_block = 16;
constexpr float weight_one = 2048.0f; /* 11 bits of fraction */

/* Two source rows or columns with their weights. */
struct tap {
    int at[2], weight[2];
};

__device__ __forceinline__ double source_step(int source, int destination)
{
    return 1.0 / ((double)destination / (double)source);
}

/* The product is rounded before the subtraction, as it is on the CPU. */
__device__ __forceinline__ struct tap make_tap(int i, int source, int destination, bool edge_is_one)
{
    const float position = (float)(__dmul_rn((double)i + 0.5, source_step(source, destination)) - 0.5);
    const int whole = __float2int_rd(position), last = source - 1;
    float fraction = position - (float)whole;
    if (edge_is_one && (whole < 0 || whole >= last))
        fraction = 0.0f;
    struct tap tap;
    tap.at[0] = min(max(whole, 0), last);
    tap.at[1] = min(whole + 1, last);
    tap.weight[0] = __float2int_rn((1.0f - fraction) * weight_one);
    tap.weight[1] = __float2int_rn(fraction * weight_one);
    return tap;
}

/* A source row at the thread's column, as sums >> 4: they fit 15 bits. */
__device__ __forceinline__ void resize_column(const uint8_t *row, const struct tap &column, int (&sums)[3])
{
    const uint8_t *const left = row + 3 * (int64_t)column.at[0], *const right =
                                                                     row + 3 * (int64_t)column.at[1];
#pragma unroll
    for (int c = 0; c < 3; c++)
        sums[c] = (left[c] * column.weight[0] + right[c] * column.weight[1]) >> 4;
}

__device__ __forceinline__ void copy_sums(int (&to)[3], const int (&from)[3])
{
#pragma unroll
    for (int c = 0; c < 3; c++)
        to[c] = from[c];
}

__global__ void __launch_bounds__(columns_of_block)
    resize_normalize(const uint8_t *pixels, const struct df_packed_image *sources, float *image, int height,
                     int width, struct normalization n)
{
    DF_SHARED(struct tap, taps, [rows_of_block]);
    const struct df_packed_image source = sources[blockIdx.z];
    const int x = (int)blockIdx.x * columns_of_block + (int)threadIdx.x,
              top = (int)blockIdx.y * rows_of_block;
    const int rows = min(rows_of_block, height - top);

    if ((int)threadIdx.x < rows)
        taps[threadIdx.x] = make_tap(top + (int)threadIdx.x, source.height, height, false);
    __syncthreads();
    if (x >= width)
        return;

    const struct tap column = make_tap(x, source.width, width, true);
    const uint8_t *const from = pixels + source.offset;
    const int64_t plane = (int64_t)height * width, row_bytes = 3 * (int64_t)source.width;
    float *to = image + (int64_t)blockIdx.z * 3 * plane + (int64_t)top * width + x;
    int upper[3] = {0, 0, 0}, lower[3] = {0, 0, 0}, has_upper = -1, has_lower = -1;
    for (int y = 0; y < rows; y++, to += width) {
        const struct tap row = taps[y];
        if (row.at[0] == has_lower)
            copy_sums(upper, lower);
        else if (row.at[0] != has_upper)
            resize_column(from + row.at[0] * row_bytes, column, upper);
        has_upper = row.at[0];
        if (row.at[1] == has_upper)
            copy_sums(lower, upper);
        else if (row.at[1] != has_lower)
            resize_column(from + row.at[1] * row_bytes, column, lower);
        has_lower = row.at[1];
#pragma unroll
        for (int c = 0; c < 3; c++) {
            const int sum = (upper[c] * row.weight[0] >> 16) + (lower[c] * row.weight[1] >> 16);
            to[c * plane] = normalize((unsigned)(sum + 2) >> 2, c, n);
        }
    }
}

__device__ __forceinline__ int nearest_index(int i, int source, int destination)
{
    return min((int)floor((double)i * source_step(source, destination)), source - 1);
}

__global__ void __launch_bounds__(columns_of_block)
    resize_labels(const uint8_t *masks, const struct df_packed_image *sources, uint8_t *labels, int height,
                  int width)
{
    DF_SHARED(int, source_rows, [rows_of_block]);
    const struct df_packed_image source = sources[blockIdx.z];
    const int x = (int)blockIdx.x * columns_of_block + (int)threadIdx.x,
              top = (int)blockIdx.y * rows_of_block;
    const int rows = min(rows_of_block, height - top);

    if ((int)threadIdx.x < rows)
        source_rows[threadIdx.x] = nearest_index(top + (int)threadIdx.x, source.height, height);
    __syncthreads();
    if (x >= width)
        return;

    const uint8_t *const from = masks + source.offset + nearest_index(x, source.width, width);
    uint8_t *to = labels + ((int64_t)blockIdx.z * height + top) * width + x;
    for (int y = 0; y < rows; y++)
        to[(int64_t)y * width] = from[(int64_t)source_rows[y] * source.width];
}

dim3 grid_of(int64_t batch, int64_t height, int64_t width)
{
    return dim3((unsigned)ceil_div(width, columns_of_block), (unsigned)ceil_div(height, rows_of_block),
                (unsigned)batch);
}

} // namespace

cudaError_t df_launch_resize_normalize(cudaStream_t stream, const uint8_t *pixels,
                                       const struct df_packed_image *sources, float *image, int64_t batch,
                                       int64_t height, int64_t width, const float mean[3], const float std[3])
{
    if (batch == 0)
        return cudaSuccess;
    DF_LAUNCH(resize_normalize, grid_of(batch, height, width), columns_of_block, 0, stream, pixels, sources,
              image, (int)height, (int)width, make_normalization(mean, std));
    return cudaGetLastError();
}

cudaError_t df_launch_resize_labels(cudaStream_t stream, const uint8_t *masks,
                                    const struct df_packed_image *sources, uint8_t *labels, int64_t batch,
                                    int64_t height, int64_t width)
{
    if (batch == 0)
        return cudaSuccess;
    DF_LAUNCH(resize_labels, grid_of(batch, height, width), columns_of_block, 0, stream, masks, sources,
              labels, (int)height, (int)width);
    return cudaGetLastError();
}
