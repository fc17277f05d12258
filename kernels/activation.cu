/* GELU (exact, by erf) and SwiGLU, forward and backward, float32 or bfloat16.
 *
 *   gelu      x, y, dy, dx [count]
 *   swiglu    x, dx [rows, 2 * hidden] = [gates, values]; y, dy [rows, hidden]
 *
 * Geometry: a thread takes 16 bytes of each tensor, 4 floats or 8 bfloat16, a block 256 threads side by side.
 * GELU's blocks lie along the array; SwiGLU's grid is (blocks along a row, rows), its blocks are smaller
 * where a row is, and where hidden is no multiple of a vector (in no model), threads take single elements.
 *
 * Bound by memory, each element moved once. In bytes for an element of the result, float32 and bfloat16: GELU
 * 8 and 4 forward, 12 and 6 backward; SwiGLU 12 and 6 forward, 20 and 10 (for two results) backward. About 30
 * instructions for an element of GELU in bfloat16 come close to what an H100 can issue while it moves 4 bytes
 * (by its peaks, 35), so it should be part of a matrix product's end where that is to be had. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

__device__ __forceinline__ float normal_cdf(float x)
{
    const float sqrt_half = 0.707106781f;
    return 0.5f + 0.5f * erff(x * sqrt_half);
}

__device__ __forceinline__ float gelu_slope(float x)
{
    const float inv_sqrt_2pi = 0.398942280f;
    return normal_cdf(x) + x * (inv_sqrt_2pi * expf(-0.5f * x * x));
}

/* Beyond 88 the exponential is infinite and the quotient 0, as it should be. */
__device__ __forceinline__ float sigmoid(float x)
{
    return __fdividef(1.0f, 1.0f + expf(-x));
}

template <typename T>
__global__ void __launch_bounds__(vector_threads) gelu_forward(const T *x, T *y, int64_t count)
{
    constexpr int N = vector_width<T>;
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * N;
    if (at >= count)
        return;
    float values[N];
    load_first(x + at, count - at, values);
#pragma unroll
    for (int i = 0; i < N; i++)
        values[i] *= normal_cdf(values[i]);
    store_first(y + at, count - at, values);
}

/* dx may be dy: a thread has read its elements before it writes them. */
template <typename T>
__global__ void __launch_bounds__(vector_threads, 4)
    gelu_backward(const T *x, const T *dy, T *dx, int64_t count)
{
    constexpr int N = vector_width<T>;
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * N;
    if (at >= count)
        return;
    float values[N], gradient[N];
    load_first(x + at, count - at, values);
    load_first(dy + at, count - at, gradient);
#pragma unroll
    for (int i = 0; i < N; i++)
        gradient[i] *= gelu_slope(values[i]);
    store_first(dx + at, count - at, gradient);
}

template <typename T, int N>
__global__ void __launch_bounds__(vector_threads)
    swiglu_forward(const T *x, T *y, int64_t rows, int64_t hidden)
{
    const int64_t column = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * N;
    if (column >= hidden)
        return;
    for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
        const T *from = x + row * 2 * hidden + column;
        float gates[N], values[N];
        load_vector(from, gates);
        load_vector(from + hidden, values);
#pragma unroll
        for (int i = 0; i < N; i++)
            values[i] *= gates[i] * sigmoid(gates[i]);
        store_global(y + row * hidden + column, values);
    }
}

/* dx may be x: a thread has read its gates and values before it writes their gradients. */
template <typename T, int N>
__global__ void __launch_bounds__(vector_threads)
    swiglu_backward(const T *x, const T *dy, T *dx, int64_t rows, int64_t hidden)
{
    const int64_t column = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * N;
    if (column >= hidden)
        return;
    for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
        const int64_t at = row * 2 * hidden + column;
        float gates[N], values[N], gradient[N];
        load_vector(x + at, gates);
        load_vector(x + at + hidden, values);
        load_vector(dy + row * hidden + column, gradient);
#pragma unroll
        for (int i = 0; i < N; i++) {
            const float s = sigmoid(gates[i]), silu = gates[i] * s;
            gates[i] = gradient[i] * values[i] * (s + silu * (1.0f - s));
            values[i] = gradient[i] * silu;
        }
        store_global(dx + at, gates);
        store_global(dx + at + hidden, values);
    }
}

template <typename T> dim3 blocks_along(int64_t count)
{
    return dim3((unsigned)ceil_div(count, vector_threads * vector_width<T>));
}

/* The geometry of SwiGLU for rows of so many vectors. */
struct row_geometry {
    dim3 grid;
    int threads;
};

struct row_geometry row_geometry(int64_t rows, int64_t vectors)
{
    const int64_t threads = min((int64_t)vector_threads, ceil_div(vectors, warp_lanes) * warp_lanes);
    const int64_t blocks = ceil_div(vectors, threads);
    return {dim3((unsigned)blocks, (unsigned)min(rows, (int64_t)max_grid_y)), (int)threads};
}

} // namespace

cudaError_t df_launch_gelu_forward(cudaStream_t stream, const void *x, void *y, enum df_dtype type,
                                   int64_t count)
{
    if (count == 0)
        return cudaSuccess;
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        DF_LAUNCH(gelu_forward<T>, blocks_along<T>(count), vector_threads, 0, stream,
                  static_cast<const T *>(x), static_cast<T *>(y), count);
        return cudaGetLastError();
    });
}

cudaError_t df_launch_gelu_backward(cudaStream_t stream, const void *x, const void *dy, void *dx,
                                    enum df_dtype type, int64_t count)
{
    if (count == 0)
        return cudaSuccess;
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        DF_LAUNCH(gelu_backward<T>, blocks_along<T>(count), vector_threads, 0, stream,
                  static_cast<const T *>(x), static_cast<const T *>(dy), static_cast<T *>(dx), count);
        return cudaGetLastError();
    });
}

cudaError_t df_launch_swiglu_forward(cudaStream_t stream, const void *x, void *y, enum df_dtype type,
                                     int64_t rows, int64_t hidden)
{
    if (rows == 0 || hidden == 0)
        return cudaSuccess;
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        constexpr int N = vector_width<T>;
        const T *const in = static_cast<const T *>(x);
        const struct row_geometry g = row_geometry(rows, hidden % N == 0 ? hidden / N : hidden);
        if (hidden % N == 0)
            DF_LAUNCH((swiglu_forward<T, N>), g.grid, g.threads, 0, stream, in, static_cast<T *>(y), rows,
                      hidden);
        else
            DF_LAUNCH((swiglu_forward<T, 1>), g.grid, g.threads, 0, stream, in, static_cast<T *>(y), rows,
                      hidden);
        return cudaGetLastError();
    });
}

cudaError_t df_launch_swiglu_backward(cudaStream_t stream, const void *x, const void *dy, void *dx,
                                      enum df_dtype type, int64_t rows, int64_t hidden)
{
    if (rows == 0 || hidden == 0)
        return cudaSuccess;
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        constexpr int N = vector_width<T>;
        const T *const in = static_cast<const T *>(x), *const gradient = static_cast<const T *>(dy);
        const struct row_geometry g = row_geometry(rows, hidden % N == 0 ? hidden / N : hidden);
        if (hidden % N == 0)
            DF_LAUNCH((swiglu_backward<T, N>), g.grid, g.threads, 0, stream, in, gradient,
                      static_cast<T *>(dx), rows, hidden);
        else
            DF_LAUNCH((swiglu_backward<T, 1>), g.grid, g.threads, 0, stream, in, gradient,
                      static_cast<T *>(dx), rows, hidden);
        return cudaGetLastError();
    });
}
