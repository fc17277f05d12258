/* Convolutions of NHWC maps, float32, stride 1, with or without zeros around them, and their gradients: for
 * machines without cuDNN.
 *
 * Shapes: maps [B, H, W, channels] with H x W of 33 x 33 to 118 x 118 and 1024 to 21 channels, weights [out,
 * in, k, k] with k = 1 or 3.
 *
 * Geometry: each pass is a product (gemm_tile.cuh) whose operand is read out of a map where it lies:
 *
 *     forward           y [pixels, out] = windows of x [pixels, (tap, in)] weights [(tap, in), out]
 *     backward data     dx [pixels, in] = windows of dy [pixels, (tap, out)] weights [(tap, out), in]
 *     backward weight   dweight [(tap, in), out] = windows of x, transposed, dy [pixels, out]
 *
 * A tap is one of the k * k elements of a kernel. Channels of a tap are rounded up to whole steps of the
 * depth, so that a step has one tap. A block of 128 threads has a tile of 128 rows by 32 or 64 columns. Sums
 * over the pixels are split (split-K): a second kernel adds the partial sums in order.
 *
 * Bound by float32 arithmetic. Traffic: the map once from memory and k * k times from the caches. */
#include "kernels.h"
#include "gemm_tile.cuh"
#include "types.cuh"

#include <climits>

namespace
{

constexpr int thin = 32; /* columns for which the thinner tile is taken */

/* Row p of a product is pixel p of a grid [batch, grid_height, grid_width]; its element (tap, c) is channel c
 * of the pixel of `map` that the tap reads, which lies below and to the right (direction 1) or above and to
 * the left (-1); 0 where there is none. */
struct window_source {
    typedef float element;
    struct position {
        int64_t image; /* offset of the image in the map; below 0: no row */
        int row, col;
    };
    static constexpr bool along_depth = true;

    const float *map; /* [batch, height, width, channels] */
    int height, width, channels, padded_channels, kernel, padding, direction;
    int grid_height, grid_width, pixels;
    bool vector;

    __device__ __forceinline__ position locate(int pixel) const
    {
        if (pixel >= pixels)
            return {-1, 0, 0};
        const int line = pixel / grid_width;
        return {(int64_t)(line / grid_height) * height * width * channels, line % grid_height,
                pixel % grid_width};
    }

    __device__ __forceinline__ void fetch(const position &p, int depth, uint32_t (&words)[4]) const
    {
        const int tap = depth / padded_channels, channel = depth % padded_channels;
        const int row = p.row + direction * (tap / kernel - padding),
                  col = p.col + direction * (tap % kernel - padding);
        const bool there = p.image >= 0 && row >= 0 && row < height && col >= 0 && col < width;
        const int64_t at = there ? p.image + ((int64_t)row * width + col) * channels + channel : 0;

        fetch_words(map + at, there ? channels - channel : 0, vector, words);
    }
};

/* Column `outer` of a product, element (tap, inner): the weight at outer * outer_stride + inner *
 * inner_stride + tap. */
struct weight_source {
    typedef float element;
    struct position {
        int outer;
    };

    const float *weight;
    int64_t outer_stride, inner_stride;
    int outers, inners, padded_inners;
    bool along_depth;

    __device__ __forceinline__ position locate(int outer) const
    {
        return {outer};
    }

    __device__ __forceinline__ void fetch(const position &p, int depth, uint32_t (&words)[4]) const
    {
        const int tap = depth / padded_inners, inner = depth % padded_inners;
        const float *const from = weight + p.outer * outer_stride + inner * inner_stride + tap;
        const int64_t stride = along_depth ? inner_stride : outer_stride;
        const int inside =
            along_depth ? (p.outer < outers ? inners - inner : 0) : (inner < inners ? outers - p.outer : 0);

#pragma unroll
        for (int j = 0; j < 4; j++)
            words[j] = j < inside ? __float_as_uint(__ldg(from + j * stride)) : 0;
    }
};

/* Row (tap, channel) of a product, depth p: what the tap of output pixel p reads of x. Channels are rounded
 * up to whole vectors. */
struct patch_source {
    typedef float element;
    struct position {
        int row, col; /* of the tap from the pixel's place */
        int channel;
        int inside; /* channels from there on */
    };
    static constexpr bool along_depth = false;

    const float *x; /* [batch, height, width, channels] */
    int height, width, channels, padded_channels, kernel, padding;
    int out_height, out_width, pixels;
    bool vector;

    __device__ __forceinline__ position locate(int outer) const
    {
        const int tap = outer / padded_channels, channel = outer % padded_channels;
        return {tap / kernel - padding, tap % kernel - padding, channel,
                tap < kernel * kernel ? channels - channel : 0};
    }

    __device__ __forceinline__ void fetch(const position &p, int depth, uint32_t (&words)[4]) const
    {
        const int line = depth / out_width;
        const int row = line % out_height + p.row, col = depth % out_width + p.col;
        const bool there =
            depth < pixels && p.inside > 0 && row >= 0 && row < height && col >= 0 && col < width;
        const int64_t image = (int64_t)(line / out_height) * height * width;
        const int64_t at = (image + (int64_t)row * width + col) * channels + p.channel;

        fetch_words(x + (there ? at : 0), there ? p.inside : 0, vector, words);
    }
};

/* --- kernels --- */

/* First row and column of the block's tile; tiles of the same rows follow each other. */
template <class TILE> __device__ __forceinline__ int block_row(int cols)
{
    return (int)(blockIdx.x / (unsigned)((cols + TILE::cols - 1) / TILE::cols)) * TILE::rows;
}

template <class TILE> __device__ __forceinline__ int block_col(int cols)
{
    return (int)(blockIdx.x % (unsigned)((cols + TILE::cols - 1) / TILE::cols)) * TILE::cols;
}

/* y [pixels, cols] = windows * weights + bias (or none). */
template <class TILE>
__global__ void __launch_bounds__(TILE::threads, 2)
    window_kernel(window_source windows, weight_source weights, int depth, int cols, const float *bias,
                  struct product_output out)
{
    const int first_row = block_row<TILE>(cols), first_col = block_col<TILE>(cols);
    float sums[TILE::mt][TILE::nt];

    multiply_tile<TILE>(windows, first_row, weights, first_col, 0, depth, sums);
#pragma unroll
    for (int j = 0; j < TILE::nt; j++) {
        const int col = first_col + tile_col<TILE>(j);
        const float value = bias && col < cols ? bias[col] : 0.0f;
#pragma unroll
        for (int i = 0; i < TILE::mt; i++)
            sums[i][j] += value;
    }
#pragma unroll
    for (int i = 0; i < TILE::mt; i++) {
        const int row = first_row + tile_row<TILE>(i);
#pragma unroll
        for (int j = 0; j < TILE::nt; j += TILE::col_width) {
            if (row < windows.pixels)
                put_sums<TILE::col_width>(out, row, first_col + tile_col<TILE>(j), cols, &sums[i][j]);
        }
    }
}

/* dweight [out, in, k, k], or the partial sums of a split of it. */
template <class TILE>
__global__ void __launch_bounds__(TILE::threads, 2)
    weight_gradient_kernel(patch_source patches, matrix_source<float> dy, struct split_k split,
                           float *dweight)
{
    const int first_row = block_row<TILE>(dy.outers), first_col = block_col<TILE>(dy.outers);
    const int begin = (int)blockIdx.y * split.depth, end = min(begin + split.depth, patches.pixels);
    const int area = patches.kernel * patches.kernel;
    float *to = dweight + (int64_t)blockIdx.y * dy.outers * patches.channels * area;
    float sums[TILE::mt][TILE::nt];

    multiply_tile<TILE>(patches, first_row, dy, first_col, begin, end, sums);
#pragma unroll
    for (int i = 0; i < TILE::mt; i++) {
        const int row = first_row + tile_row<TILE>(i);
        const int tap = row / patches.padded_channels, channel = row % patches.padded_channels;
        if (tap >= area || channel >= patches.channels)
            continue;
#pragma unroll
        for (int j = 0; j < TILE::nt; j++) {
            const int col = first_col + tile_col<TILE>(j);
            if (col < dy.outers)
                to[((int64_t)col * patches.channels + channel) * area + tap] = sums[i][j];
        }
    }
}

/* --- planning and launches --- */

template <typename F> auto choose_tile(int64_t cols, F f)
{
    return cols <= thin ? f(tile_32()) : f(tile_64());
}

/* Pixel and depth indices are int. */
bool fits(struct df_conv_shape s)
{
    const int64_t padding = 64, area = s.kernel * s.kernel;
    return s.batch * s.height * s.width <= INT_MAX - 128 && (s.in + padding) * area <= INT_MAX &&
           (s.out + padding) * area <= INT_MAX;
}

int64_t round_up(int64_t value, int64_t step)
{
    return ceil_div(value, step) * step;
}

/* The product of a map's windows with the weights, by whichever of their channels; cols are the result's. */
cudaError_t launch_windows(cudaStream_t stream, struct window_source windows, struct weight_source weights,
                           int cols, const float *bias, float *y)
{
    if (windows.pixels == 0 || cols == 0)
        return cudaSuccess;
    choose_tile(cols, [&](auto tile) {
        typedef decltype(tile) TILE;
        const int64_t blocks = ceil_div(windows.pixels, TILE::rows) * ceil_div(cols, TILE::cols);
        const int padded = (int)round_up(windows.channels, TILE::depth);
        const struct product_output out = {y, cols, DF_F32, cols % 4 == 0 && is_aligned_16(y), false};

        windows.padded_channels = weights.padded_inners = padded;
        windows.vector = windows.channels % 4 == 0 && is_aligned_16(windows.map);
        DF_LAUNCH(window_kernel<TILE>, dim3((unsigned)blocks), dim3(TILE::threads), 0, stream, windows,
                  weights, windows.kernel * windows.kernel * padded, cols, bias, out);
    });
    return cudaGetLastError();
}

struct split_k split_pixels(struct df_conv_shape s)
{
    return choose_tile(s.out, [&](auto tile) {
        const int64_t rows = round_up(s.in, 4) * s.kernel * s.kernel;
        const int64_t pixels = s.batch * df_conv_side(&s, s.height) * df_conv_side(&s, s.width);
        const int64_t tiles = ceil_div(rows, tile.rows) * ceil_div(s.out, tile.cols);
        return make_split_k(rows, s.out, pixels, tiles, tile.depth);
    });
}

} // namespace

cudaError_t df_launch_conv_forward(cudaStream_t stream, struct df_conv_shape shape, const float *x,
                                   const float *weight, const float *bias, float *y)
{
    const int64_t area = shape.kernel * shape.kernel;
    const int height = (int)df_conv_side(&shape, shape.height),
              width = (int)df_conv_side(&shape, shape.width);

    if (!fits(shape))
        return cudaErrorInvalidValue;
    const struct window_source windows = {.map = x,
                                          .height = (int)shape.height,
                                          .width = (int)shape.width,
                                          .channels = (int)shape.in,
                                          .padded_channels = 0,
                                          .kernel = (int)shape.kernel,
                                          .padding = (int)shape.padding,
                                          .direction = 1,
                                          .grid_height = height,
                                          .grid_width = width,
                                          .pixels = (int)shape.batch * height * width,
                                          .vector = false};
    const struct weight_source weights = {weight, shape.in * area, area, (int)shape.out, (int)shape.in, 0,
                                          true};
    return launch_windows(stream, windows, weights, (int)shape.out, bias, y);
}

cudaError_t df_launch_conv_backward_data(cudaStream_t stream, struct df_conv_shape shape, const float *dy,
                                         const float *weight, float *dx)
{
    const int64_t area = shape.kernel * shape.kernel;

    if (!fits(shape))
        return cudaErrorInvalidValue;
    const struct window_source windows = {.map = dy,
                                          .height = (int)df_conv_side(&shape, shape.height),
                                          .width = (int)df_conv_side(&shape, shape.width),
                                          .channels = (int)shape.out,
                                          .padded_channels = 0,
                                          .kernel = (int)shape.kernel,
                                          .padding = (int)shape.padding,
                                          .direction = -1,
                                          .grid_height = (int)shape.height,
                                          .grid_width = (int)shape.width,
                                          .pixels = (int)(shape.batch * shape.height * shape.width),
                                          .vector = false};
    const struct weight_source weights = {weight, area, shape.in * area, (int)shape.in, (int)shape.out,
                                          0,      false};
    return launch_windows(stream, windows, weights, (int)shape.in, nullptr, dx);
}

size_t df_launch_conv_backward_weight_scratch(struct df_conv_shape shape)
{
    const struct split_k split = split_pixels(shape);
    const size_t size = (size_t)(shape.out * shape.in * shape.kernel * shape.kernel);
    return split.splits > 1 ? (size_t)split.splits * size * sizeof(float) : 0;
}

cudaError_t df_launch_conv_backward_weight(cudaStream_t stream, struct df_conv_shape shape, const float *x,
                                           const float *dy, float *dweight, void *scratch)
{
    const int64_t area = shape.kernel * shape.kernel, out = shape.out;
    const struct split_k split = split_pixels(shape);
    const int height = (int)df_conv_side(&shape, shape.height),
              width = (int)df_conv_side(&shape, shape.width);
    float *const to = split.splits > 1 ? static_cast<float *>(scratch) : dweight;

    if (!fits(shape))
        return cudaErrorInvalidValue;
    const struct patch_source patches = {.x = x,
                                         .height = (int)shape.height,
                                         .width = (int)shape.width,
                                         .channels = (int)shape.in,
                                         .padded_channels = (int)round_up(shape.in, 4),
                                         .kernel = (int)shape.kernel,
                                         .padding = (int)shape.padding,
                                         .out_height = height,
                                         .out_width = width,
                                         .pixels = (int)shape.batch * height * width,
                                         .vector = shape.in % 4 == 0 && is_aligned_16(x)};
    const matrix_source<float> gradient = {
        dy, out, (int)out, patches.pixels, false, out % 4 == 0 && is_aligned_16(dy)};
    choose_tile(out, [&](auto tile) {
        typedef decltype(tile) TILE;
        const int64_t tiles =
            ceil_div(patches.padded_channels * area, TILE::rows) * ceil_div(out, TILE::cols);
        DF_LAUNCH(weight_gradient_kernel<TILE>, dim3((unsigned)tiles, (unsigned)split.splits),
                  dim3(TILE::threads), 0, stream, patches, gradient, split, to);
    });
    if (split.splits > 1)
        reduce_splits(stream, to, split.splits, out, shape.in * area,
                      {dweight, shape.in * area, DF_F32, false, false});
    return cudaGetLastError();
}
