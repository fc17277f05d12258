/* Maps resized by nearest neighbour, as PyTorch's `nearest` chooses its pixels, and the gradient: x, dx [B,
 * h, w, C], y, dy [B, H, W, C], float32.
 *
 * Geometry: a block has a segment of one row of the result: lanes along the channels (a power of two, at most
 * 64), each with 4 of them (one, where C is no multiple of 4), and 256 / lanes pixels. Grid: (rows of all
 * images, segments). Forward, a pixel of y reads its source; backward, a pixel of dx reads those of dy that
 * read it: a rectangle, whose borders each thread works out for itself. So no sum has more than one writer,
 * and its order is that of the rows.
 *
 * Bound by memory: forward, y is written once (read too, when it is added to) and x read once for each of its
 * rows' readers, mostly from the caches; backward, dy is read once and dx written once. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int max_lane_bits = 6;

/* The source index of output index i; nothing here is negative. */
__device__ __forceinline__ int nearest_source(int i, float scale, int in)
{
    return min(__float2int_rz((float)i * scale), in - 1);
}

/* The first output index whose source is not below `source`; `out` if there is none. `inverse`, about 1 /
 * scale, leads to it or the one or two before, but not beyond: for that, sizes would have to be above 2^22.
 */
__device__ __forceinline__ int first_reader(int source, float scale, float inverse, int in, int out)
{
    if (source >= in)
        return out;
    int i = __float2int_rz((float)source * inverse);
    while (i < out && nearest_source(i, scale, in) < source)
        i++;
    return i;
}

struct map_sizes {
    int h, w, height, width, channels;
    float scale_y, scale_x, inverse_y, inverse_x;
};

template <int N, bool ACCUMULATE>
__global__ void __launch_bounds__(vector_threads)
    nearest_forward(const float *x, float *y, struct map_sizes sizes, int bits)
{
    const struct lane_and_line at = lane_and_line(bits);
    const int image = (int)blockIdx.x / sizes.height, row = (int)blockIdx.x % sizes.height;
    const int column = (int)blockIdx.y * at.lines + at.line;
    if (column >= sizes.width)
        return;
    const int source_row = nearest_source(row, sizes.scale_y, sizes.h);
    const int source_column = nearest_source(column, sizes.scale_x, sizes.w);
    const float *from =
        x + (((int64_t)image * sizes.h + source_row) * sizes.w + source_column) * sizes.channels;
    float *to = y + ((int64_t)blockIdx.x * sizes.width + column) * sizes.channels;
    for (int c = at.lane * N; c < sizes.channels; c += at.lanes * N) {
        float values[N], before[N];
        load_vector(from + c, values);
        if (ACCUMULATE) {
            load_vector(to + c, before);
#pragma unroll
            for (int i = 0; i < N; i++)
                values[i] += before[i];
        }
        store_global(to + c, values);
    }
}

template <int N>
__global__ void __launch_bounds__(vector_threads)
    nearest_backward(const float *dy, float *dx, struct map_sizes sizes, int bits)
{
    const struct lane_and_line at = lane_and_line(bits);
    const int image = (int)blockIdx.x / sizes.h, row = (int)blockIdx.x % sizes.h;
    const int column = (int)blockIdx.y * at.lines + at.line;
    if (column >= sizes.w)
        return;
    const int top = first_reader(row, sizes.scale_y, sizes.inverse_y, sizes.h, sizes.height);
    const int bottom = first_reader(row + 1, sizes.scale_y, sizes.inverse_y, sizes.h, sizes.height);
    const int left = first_reader(column, sizes.scale_x, sizes.inverse_x, sizes.w, sizes.width);
    const int right = first_reader(column + 1, sizes.scale_x, sizes.inverse_x, sizes.w, sizes.width);
    const float *from = dy + (int64_t)image * sizes.height * sizes.width * sizes.channels;
    float *to = dx + ((int64_t)blockIdx.x * sizes.w + column) * sizes.channels;
    for (int c = at.lane * N; c < sizes.channels; c += at.lanes * N) {
        float sums[N];
#pragma unroll
        for (int i = 0; i < N; i++)
            sums[i] = 0.0f;
        for (int j = top; j < bottom; j++) {
#pragma unroll 2
            for (int k = left; k < right; k++) {
                float values[N];
                load_vector(from + ((int64_t)j * sizes.width + k) * sizes.channels + c, values);
#pragma unroll
                for (int i = 0; i < N; i++)
                    sums[i] += values[i];
            }
        }
        store_global(to + c, sums);
    }
}

struct map_sizes make_sizes(int64_t h, int64_t w, int64_t height, int64_t width, int64_t channels)
{
    return {(int)h,
            (int)w,
            (int)height,
            (int)width,
            (int)channels,
            (float)h / (float)height,
            (float)w / (float)width,
            (float)height / (float)h,
            (float)width / (float)w};
}

/* Of blocks whose result has `rows` rows of `columns` pixels. */
dim3 grid_of(int64_t rows, int64_t columns, int bits)
{
    return dim3((unsigned)rows, (unsigned)ceil_div(columns, vector_threads >> bits));
}

} // namespace

cudaError_t df_launch_nearest_forward(cudaStream_t stream, const float *x, int64_t batch, int64_t h,
                                      int64_t w, float *y, int64_t height, int64_t width, int64_t channels,
                                      bool accumulate)
{
    const struct map_sizes sizes = make_sizes(h, w, height, width, channels);
    const int vector = channels % 4 == 0 ? 4 : 1, bits = lane_bits(channels / vector, max_lane_bits);
    const dim3 grid = grid_of(batch * height, width, bits);

    if (batch == 0)
        return cudaSuccess;
    if (vector == 4 && accumulate)
        DF_LAUNCH((nearest_forward<4, true>), grid, vector_threads, 0, stream, x, y, sizes, bits);
    else if (vector == 4)
        DF_LAUNCH((nearest_forward<4, false>), grid, vector_threads, 0, stream, x, y, sizes, bits);
    else if (accumulate)
        DF_LAUNCH((nearest_forward<1, true>), grid, vector_threads, 0, stream, x, y, sizes, bits);
    else
        DF_LAUNCH((nearest_forward<1, false>), grid, vector_threads, 0, stream, x, y, sizes, bits);
    return cudaGetLastError();
}

cudaError_t df_launch_nearest_backward(cudaStream_t stream, const float *dy, int64_t batch, int64_t height,
                                       int64_t width, float *dx, int64_t h, int64_t w, int64_t channels)
{
    const struct map_sizes sizes = make_sizes(h, w, height, width, channels);
    const int vector = channels % 4 == 0 ? 4 : 1, bits = lane_bits(channels / vector, max_lane_bits);
    const dim3 grid = grid_of(batch * h, w, bits);

    if (batch == 0)
        return cudaSuccess;
    if (vector == 4)
        DF_LAUNCH(nearest_backward<4>, grid, vector_threads, 0, stream, dy, dx, sizes, bits);
    else
        DF_LAUNCH(nearest_backward<1>, grid, vector_threads, 0, stream, dy, dx, sizes, bits);
    return cudaGetLastError();
}
