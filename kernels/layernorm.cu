/* LayerNorm over the channels of chosen tokens, forward and backward.
 *
 * Shapes: x, dx float32 [B, N, D], of which the chosen rows of each image are worked on; y, dy [B * rows, D];
 * D is 384 to 1536 in ViT-S to ViT-g, 4096 in ViT-7B; rows is N, or 1 for a class token.
 *
 * Geometry: a row belongs to one warp (D up to 1024, four rows a block) or to one block of 256 threads (up to
 * 8192), and lies in registers, four channels a vector, from the loads to the last use; so the variance is
 * taken about the mean without a second read. Rows that cannot be read in vectors, or longer ones, are read
 * three times, element by element, from the cache. Blocks run along x over the rows and along y over the
 * images.
 *
 * Traffic: forward reads x and writes y, backward reads x, dy and dx and writes dx; gamma and beta come from
 * the cache. */
#include "kernels.h"
#include "vectors.cuh"
#include "types.cuh"

#include <cstddef>
#include <type_traits>

namespace
{

constexpr int block_threads = 256;       /* of a block that has one row */
constexpr int warp_rows = 4;             /* rows of a block whose warps have one each */
constexpr int64_t warp_dim_limit = 1024; /* of a row that belongs to a warp */
constexpr int64_t block_dim_limit = 8192;
constexpr int64_t grid_y_limit = 65535;

/* --- those who share a row: a warp, or a block --- */

template <int THREADS> __device__ __forceinline__ float row_sum(float value)
{
    return THREADS == warp_lanes ? warp_sum(value) : block_sum(value);
}

template <int THREADS> __device__ __forceinline__ int64_t own_row()
{
    if (THREADS == warp_lanes)
        return (int64_t)blockIdx.x * warp_rows + threadIdx.x / warp_lanes;
    return blockIdx.x;
}

__device__ __forceinline__ int64_t row_offset(const struct df_token_rows &rows, int64_t image, int64_t row,
                                              int64_t dim)
{
    return (image * rows.tokens + rows.first + row) * dim;
}

/* --- rows in registers: vector k of a thread begins at channel (thread + k * THREADS) * 4 --- */

template <typename T, int VECTORS, int THREADS>
__global__ void __launch_bounds__(THREADS == warp_lanes ? warp_lanes * warp_rows : THREADS, 2)
    forward_kernel(const float *x, struct df_token_rows rows, int dim, const float *gamma, const float *beta,
                   float eps, T *y, float *mean_out, float *rstd_out)
{
    const int thread = threadIdx.x % THREADS;
    const int64_t row = own_row<THREADS>();
    if (row >= rows.rows)
        return;
    for (int64_t image = blockIdx.y; image < rows.batch; image += gridDim.y) {
        const float *from = x + row_offset(rows, image, row, dim);
        const int64_t chosen = image * rows.rows + row;
        float v[VECTORS][4];
        float sum = 0.0f, squares = 0.0f;

#pragma unroll
        for (int k = 0; k < VECTORS; k++) {
            const int at = (thread + k * THREADS) * 4;
            v[k][0] = v[k][1] = v[k][2] = v[k][3] = 0.0f;
            if (at < dim)
                load_vector(from + at, v[k]);
        }
#pragma unroll
        for (int k = 0; k < VECTORS; k++)
            sum += (v[k][0] + v[k][1]) + (v[k][2] + v[k][3]);
        const float mean = row_sum<THREADS>(sum) / (float)dim;
#pragma unroll
        for (int k = 0; k < VECTORS; k++) {
            if ((thread + k * THREADS) * 4 >= dim)
                continue;
#pragma unroll
            for (int i = 0; i < 4; i++) {
                v[k][i] -= mean;
                squares += v[k][i] * v[k][i];
            }
        }
        const float rstd = 1.0f / sqrtf(row_sum<THREADS>(squares) / (float)dim + eps);
#pragma unroll
        for (int k = 0; k < VECTORS; k++) {
            const int at = (thread + k * THREADS) * 4;
            if (at >= dim)
                continue;
            float g[4], b[4];
            load_vector(gamma + at, g);
            load_vector(beta + at, b);
#pragma unroll
            for (int i = 0; i < 4; i++)
                v[k][i] = v[k][i] * rstd * g[i] + b[i];
            store_global(y + chosen * dim + at, v[k]);
        }
        if (mean_out && thread == 0) {
            mean_out[chosen] = mean;
            rstd_out[chosen] = rstd;
        }
    }
}

/* With g = dy * gamma and n = (x - mean) * rstd: dx += rstd * (g - mean(g) - n * mean(g * n)). */
template <typename T, int VECTORS, int THREADS>
__global__ void __launch_bounds__(THREADS == warp_lanes ? warp_lanes * warp_rows : THREADS, 2)
    backward_kernel(const T *dy, const float *x, struct df_token_rows rows, int dim, const float *gamma,
                    const float *means, const float *rstds, float *dx)
{
    const int thread = threadIdx.x % THREADS;
    const int64_t row = own_row<THREADS>();
    if (row >= rows.rows)
        return;
    for (int64_t image = blockIdx.y; image < rows.batch; image += gridDim.y) {
        const int64_t offset = row_offset(rows, image, row, dim), chosen = image * rows.rows + row;
        const float mean = means[chosen], rstd = rstds[chosen];
        float g[VECTORS][4], n[VECTORS][4];
        float sum_g = 0.0f, sum_gn = 0.0f;

#pragma unroll
        for (int k = 0; k < VECTORS; k++) {
            const int at = (thread + k * THREADS) * 4;
#pragma unroll
            for (int i = 0; i < 4; i++)
                g[k][i] = n[k][i] = 0.0f;
            if (at < dim) {
                load_vector(dy + chosen * dim + at, g[k]);
                load_vector(x + offset + at, n[k]);
            }
        }
#pragma unroll
        for (int k = 0; k < VECTORS; k++) {
            const int at = (thread + k * THREADS) * 4;
            if (at >= dim)
                continue;
            float scale[4];
            load_vector(gamma + at, scale);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                g[k][i] *= scale[i];
                n[k][i] = (n[k][i] - mean) * rstd;
                sum_g += g[k][i];
                sum_gn += g[k][i] * n[k][i];
            }
        }
        const float mean_g = row_sum<THREADS>(sum_g) / (float)dim,
                    mean_gn = row_sum<THREADS>(sum_gn) / (float)dim;
#pragma unroll
        for (int k = 0; k < VECTORS; k++) {
            const int at = (thread + k * THREADS) * 4;
            if (at >= dim)
                continue;
            float to[4];
            load_vector(dx + offset + at, to);
#pragma unroll
            for (int i = 0; i < 4; i++)
                to[i] += rstd * (g[k][i] - mean_g - n[k][i] * mean_gn);
            store_global(dx + offset + at, to);
        }
    }
}

/* --- rows of any length, a block each --- */

template <typename T>
__global__ void __launch_bounds__(block_threads)
    forward_any_kernel(const float *x, struct df_token_rows rows, int64_t dim, const float *gamma,
                       const float *beta, float eps, T *y, float *mean_out, float *rstd_out)
{
    for (int64_t image = blockIdx.y; image < rows.batch; image += gridDim.y) {
        const float *from = x + row_offset(rows, image, blockIdx.x, dim);
        const int64_t chosen = image * rows.rows + blockIdx.x;
        float sum = 0.0f, squares = 0.0f;

        for (int64_t i = threadIdx.x; i < dim; i += block_threads)
            sum += from[i];
        const float mean = block_sum(sum) / (float)dim;
        for (int64_t i = threadIdx.x; i < dim; i += block_threads)
            squares += (from[i] - mean) * (from[i] - mean);
        const float rstd = 1.0f / sqrtf(block_sum(squares) / (float)dim + eps);
        for (int64_t i = threadIdx.x; i < dim; i += block_threads)
            store_float(y + chosen * dim + i, (from[i] - mean) * rstd * gamma[i] + beta[i]);
        if (mean_out && threadIdx.x == 0) {
            mean_out[chosen] = mean;
            rstd_out[chosen] = rstd;
        }
    }
}

template <typename T>
__global__ void __launch_bounds__(block_threads)
    backward_any_kernel(const T *dy, const float *x, struct df_token_rows rows, int64_t dim,
                        const float *gamma, const float *means, const float *rstds, float *dx)
{
    for (int64_t image = blockIdx.y; image < rows.batch; image += gridDim.y) {
        const int64_t offset = row_offset(rows, image, blockIdx.x, dim),
                      chosen = image * rows.rows + blockIdx.x;
        const float *from = x + offset;
        const T *gradient = dy + chosen * dim;
        const float mean = means[chosen], rstd = rstds[chosen];
        float sum_g = 0.0f, sum_gn = 0.0f;

        for (int64_t i = threadIdx.x; i < dim; i += block_threads) {
            const float g = load_float(gradient + i) * gamma[i];
            sum_g += g;
            sum_gn += g * ((from[i] - mean) * rstd);
        }
        const float mean_g = block_sum(sum_g) / (float)dim, mean_gn = block_sum(sum_gn) / (float)dim;
        for (int64_t i = threadIdx.x; i < dim; i += block_threads) {
            const float g = load_float(gradient + i) * gamma[i];
            dx[offset + i] += rstd * (g - mean_g - (from[i] - mean) * rstd * mean_gn);
        }
    }
}

/* --- the choice of a kernel --- */

template <int VECTORS_, int THREADS_> struct row_shape {
    static constexpr int vectors = VECTORS_, threads = THREADS_;
};

/* Calls f with the smallest row_shape that holds dim channels, or with nullptr for a row of any length. */
template <typename F> void choose_shape(int64_t dim, F f)
{
    const int64_t warp_vectors = ceil_div(dim, 4 * warp_lanes);

    if (dim % 4 != 0 || dim > block_dim_limit)
        f(nullptr);
    else if (dim > warp_dim_limit)
        dim <= 2 * 4 * block_threads   ? f(row_shape<2, block_threads>())
        : dim <= 4 * 4 * block_threads ? f(row_shape<4, block_threads>())
                                       : f(row_shape<8, block_threads>());
    else if (warp_vectors <= 2)
        f(row_shape<2, warp_lanes>());
    else if (warp_vectors <= 3)
        f(row_shape<3, warp_lanes>());
    else if (warp_vectors <= 6)
        f(row_shape<6, warp_lanes>());
    else
        f(row_shape<8, warp_lanes>());
}

dim3 row_grid(struct df_token_rows rows, int64_t rows_of_block)
{
    return dim3((unsigned)ceil_div(rows.rows, rows_of_block),
                (unsigned)(rows.batch < grid_y_limit ? rows.batch : grid_y_limit));
}

template <typename T>
void launch_forward(cudaStream_t stream, const float *x, struct df_token_rows rows, int64_t dim,
                    const float *gamma, const float *beta, float eps, T *y, float *mean, float *rstd)
{
    choose_shape(dim, [&](auto shape) {
        if constexpr (std::is_same_v<decltype(shape), std::nullptr_t>) {
            DF_LAUNCH(forward_any_kernel<T>, row_grid(rows, 1), dim3(block_threads), 0, stream, x, rows, dim,
                      gamma, beta, eps, y, mean, rstd);
        } else {
            constexpr int threads = shape.threads, in_block = threads == warp_lanes ? warp_rows : 1;
            DF_LAUNCH((forward_kernel<T, shape.vectors, threads>), row_grid(rows, in_block),
                      dim3(threads * in_block), 0, stream, x, rows, (int)dim, gamma, beta, eps, y, mean,
                      rstd);
        }
    });
}

template <typename T>
void launch_backward(cudaStream_t stream, const T *dy, const float *x, struct df_token_rows rows, int64_t dim,
                     const float *gamma, const float *mean, const float *rstd, float *dx)
{
    choose_shape(dim, [&](auto shape) {
        if constexpr (std::is_same_v<decltype(shape), std::nullptr_t>) {
            DF_LAUNCH(backward_any_kernel<T>, row_grid(rows, 1), dim3(block_threads), 0, stream, dy, x, rows,
                      dim, gamma, mean, rstd, dx);
        } else {
            constexpr int threads = shape.threads, in_block = threads == warp_lanes ? warp_rows : 1;
            DF_LAUNCH((backward_kernel<T, shape.vectors, threads>), row_grid(rows, in_block),
                      dim3(threads * in_block), 0, stream, dy, x, rows, (int)dim, gamma, mean, rstd, dx);
        }
    });
}

} // namespace

cudaError_t df_launch_layernorm_forward(cudaStream_t stream, const float *x, struct df_token_rows rows,
                                        int64_t dim, const float *gamma, const float *beta, float eps,
                                        void *y, enum df_dtype type, float *mean, float *rstd)
{
    if (rows.batch == 0 || rows.rows == 0)
        return cudaSuccess;
    return dispatch(type, [&](auto element) {
        launch_forward(stream, x, rows, dim, gamma, beta, eps, static_cast<decltype(element) *>(y), mean,
                       rstd);
        return cudaGetLastError();
    });
}

cudaError_t df_launch_layernorm_backward(cudaStream_t stream, const void *dy, enum df_dtype type,
                                         const float *x, struct df_token_rows rows, int64_t dim,
                                         const float *gamma, const float *mean, const float *rstd, float *dx)
{
    if (rows.batch == 0 || rows.rows == 0)
        return cudaSuccess;
    return dispatch(type, [&](auto element) {
        launch_backward(stream, static_cast<const decltype(element) *>(dy), x, rows, dim, gamma, mean, rstd,
                        dx);
        return cudaGetLastError();
    });
}
