/* What DoRA adds to a linear layer with LoRA. Matrices float32 or bfloat16, rows ld elements apart; all
 * vectors float32.
 *
 * scale_columns: a block has lanes along a row (a power of two, at most 32), each with 4 columns or, where
 * rows do not begin at such addresses, with one, and lines of threads below, of which each takes 4 rows of
 * the block's chunk. Grid: (blocks of columns, chunks of rows). Bound by memory: x is read and y written
 * once; what belongs to columns stays in registers.
 *
 * dora_gradient: the same lanes and lines. A thread adds up every (256 / lanes)-th row of the block's chunk,
 * the block's lines are added up in a tree, and the block leaves a row of partial sums in double, at most 64
 * of them, which a thread a column adds up in order. The order of additions depends on the shape alone. Bound
 * by memory: dy, y and what was added to it are read once.
 *
 * dora_factors: a thread has a row, and rank^2 multiplications to do. The gram matrix is read by all threads
 * of a warp at once, products by neighbours. There are some thousand rows in a layer: it is bound by waiting.
 */
#include "kernels.h"
#include "vectors.cuh"

#include <type_traits>

namespace
{

constexpr int lane_bits_most = 5, rows_of_thread = 4;
constexpr int max_chunks = 64, min_rows_of_thread = 16;

/* What belongs to columns from one on; NULL: 0. */
template <int N>
__device__ __forceinline__ void load_columns(const float *values, int64_t column, float (&loaded)[N])
{
    if (values) {
        load_vector(values + column, loaded);
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++)
        loaded[i] = 0.0f;
}

struct scaling {
    const float *factors, *bias;
    int64_t rows, cols, x_ld, y_ld, chunk;
    int bits;
};

/* y may be x, and residual y. */
template <typename X, typename Y, int N>
__global__ void __launch_bounds__(vector_threads)
    scale_columns(const X *x, const Y *residual, Y *y, struct scaling work)
{
    const struct lane_and_line at = lane_and_line(work.bits);
    const int64_t column = ((int64_t)blockIdx.x * at.lanes + at.lane) * N;
    const int64_t begin = blockIdx.y * work.chunk, end = min(begin + work.chunk, work.rows);
    if (column >= work.cols)
        return;
    float factors[N], bias[N];
    load_columns(work.factors, column, factors);
    load_columns(work.bias, column, bias);
    const int count = rows_of_line(begin, end, at);
    for (int k = 0; k < count; k++) {
        const int64_t row = begin + at.line + (int64_t)k * at.lines, to = row * work.y_ld + column;
        float values[N];
        load_vector(x + row * work.x_ld + column, values);
#pragma unroll
        for (int i = 0; i < N; i++)
            values[i] = values[i] * factors[i] + bias[i];
        if (residual) {
            float added[N];
            load_vector(residual + to, added);
#pragma unroll
            for (int i = 0; i < N; i++)
                values[i] += added[i];
        }
        store_global(y + to, values);
    }
}

struct sums {
    const float *bias;
    int64_t rows, cols, dy_ld, y_ld, chunk;
    int bits;
};

/* partial [chunks, cols] */
template <typename D, typename Y, int N>
__global__ void __launch_bounds__(vector_threads)
    sum_products(const D *dy, const Y *y, const Y *residual, struct sums work, double *partial)
{
    DF_SHARED(double, sums, [N][vector_threads]);
    const struct lane_and_line at = lane_and_line(work.bits);
    const int64_t column = ((int64_t)blockIdx.x * at.lanes + at.lane) * N;
    const int64_t begin = blockIdx.y * work.chunk, end = min(begin + work.chunk, work.rows);
    double total[N];

#pragma unroll
    for (int i = 0; i < N; i++)
        total[i] = 0.0;
    if (column < work.cols) {
        float bias[N];
        load_columns(work.bias, column, bias);
        const int count = rows_of_line(begin, end, at);
        for (int k = 0; k < count; k++) {
            const int64_t row = begin + at.line + (int64_t)k * at.lines, from = row * work.y_ld + column;
            float gradients[N], values[N], added[N];
            load_vector(dy + row * work.dy_ld + column, gradients);
            load_vector(y + from, values);
            if (residual) {
                load_vector(residual + from, added);
#pragma unroll
                for (int i = 0; i < N; i++)
                    values[i] -= added[i];
            }
#pragma unroll
            for (int i = 0; i < N; i++)
                total[i] += (double)(gradients[i] * (values[i] - bias[i]));
        }
    }
    add_lines(total, sums, at);
    if (at.line == 0 && column < work.cols) {
#pragma unroll
        for (int i = 0; i < N; i++)
            partial[blockIdx.y * work.cols + column + i] = sums[i][threadIdx.x];
    }
}

__global__ void __launch_bounds__(vector_threads)
    divide_sums(const double *partial, int chunks, int64_t cols, const float *magnitude, float *gradient)
{
    const int64_t column = (int64_t)blockIdx.x * vector_threads + threadIdx.x;
    if (column >= cols)
        return;
    const float length = magnitude[column];
    double total = 0.0;
#pragma unroll 8
    for (int chunk = 0; chunk < chunks; chunk++)
        total += partial[chunk * cols + column];
    gradient[column] = length == 0.0f ? 0.0f : (float)(total / (double)length);
}

__global__ void __launch_bounds__(vector_threads)
    dora_factors(struct df_dora_rows rows, float *factors, float *excess, float *b_factors)
{
    const int64_t row = (int64_t)blockIdx.x * vector_threads + threadIdx.x;
    if (row >= rows.b.rows)
        return;
    const int rank = (int)rows.b.cols;
    const float *b = static_cast<const float *>(rows.b.data) + row * rows.b.ld;
    const float *products = static_cast<const float *>(rows.products.data) + row;
    const float scale = rows.scales ? rows.scales[row] : 1.0f;
    const float twice = scale == 0.0f ? 0.0f : 2.0f / scale;
    float square = rows.squares[row];

    for (int k = 0; k < rank; k++) {
        const float *gram = static_cast<const float *>(rows.gram.data) + k * rows.gram.ld;
        float sum = 0.0f;
        for (int j = 0; j < rank; j++)
            sum += gram[j] * b[j];
        square += b[k] * (twice * products[k * rows.products.ld] + sum);
    }
    const float least = DF_DORA_LEAST * rows.squares[row];
    const float length = sqrtf(square < least ? least : square); /* a NaN stays one */
    const float factor = length == 0.0f ? 0.0f : rows.magnitude[row] / length;
    factors[row] = factor;
    excess[row] = factor - 1.0f;
    b_factors[row] = factor * scale;
}

/* Calls f with the number of columns that a thread takes at once. */
template <typename F> cudaError_t with_width(bool aligned, F f)
{
    return aligned ? f(std::integral_constant<int, 4>()) : f(std::integral_constant<int, 1>());
}

template <typename A, typename B>
bool takes_vectors(const struct df_matrix &a, const struct df_matrix &b, const float *x, const float *y)
{
    return a.cols % 4 == 0 && aligns_rows(a, 4, sizeof(A)) && aligns_rows(b, 4, sizeof(B)) &&
           is_aligned_16(x) && is_aligned_16(y);
}

int64_t sum_chunk(int64_t rows, int bits)
{
    return chunk_rows(rows, vector_threads >> bits, min_rows_of_thread, max_chunks);
}

} // namespace

cudaError_t df_launch_scale_columns(cudaStream_t stream, struct df_matrix x, const float *factors,
                                    const float *bias, const void *residual, struct df_matrix y)
{
    if (x.rows == 0 || x.cols == 0)
        return cudaSuccess;
    return dispatch(x.type, [&](auto from) {
        using X = decltype(from);
        return dispatch(y.type, [&](auto to) {
            using Y = decltype(to);
            return with_width(takes_vectors<X, Y>(x, y, factors, bias), [&](auto width) {
                constexpr int N = decltype(width)::value;
                const int bits = lane_bits(ceil_div(x.cols, N), lane_bits_most);
                const int64_t chunk = chunk_rows(x.rows, vector_threads >> bits, rows_of_thread, max_grid_y);
                const struct scaling work = {factors, bias, x.rows, x.cols, x.ld, y.ld, chunk, bits};
                const dim3 grid((unsigned)ceil_div(x.cols, (int64_t)N << bits),
                                (unsigned)ceil_div(x.rows, chunk));
                DF_LAUNCH((scale_columns<X, Y, N>), grid, vector_threads, 0, stream,
                          static_cast<const X *>(x.data), static_cast<const Y *>(residual),
                          static_cast<Y *>(y.data), work);
                return cudaGetLastError();
            });
        });
    });
}

cudaError_t df_launch_dora_factors(cudaStream_t stream, const struct df_dora_rows *rows, float *factors,
                                   float *excess, float *b_factors)
{
    if (rows->b.rows == 0)
        return cudaSuccess;
    DF_LAUNCH(dora_factors, (unsigned)ceil_div(rows->b.rows, vector_threads), vector_threads, 0, stream,
              *rows, factors, excess, b_factors);
    return cudaGetLastError();
}

size_t df_launch_dora_gradient_scratch(struct df_matrix dy)
{
    return (size_t)max_chunks * (size_t)dy.cols * sizeof(double);
}

cudaError_t df_launch_dora_gradient(cudaStream_t stream, struct df_matrix dy, struct df_matrix y,
                                    const float *bias, const void *residual, const float *magnitude,
                                    float *gradient, void *scratch)
{
    double *const partial = static_cast<double *>(scratch);
    if (dy.cols == 0)
        return cudaSuccess;
    int chunks = 0;
    const cudaError_t error = dispatch(dy.type, [&](auto from) {
        using D = decltype(from);
        return dispatch(y.type, [&](auto other) {
            using Y = decltype(other);
            return with_width(takes_vectors<D, Y>(dy, y, bias, bias), [&](auto width) {
                constexpr int N = decltype(width)::value;
                const int bits = lane_bits(ceil_div(dy.cols, N), lane_bits_most);
                const int64_t chunk = sum_chunk(dy.rows, bits);
                const struct sums work = {bias, dy.rows, dy.cols, dy.ld, y.ld, chunk, bits};
                chunks = (int)ceil_div(dy.rows, chunk);
                if (chunks == 0)
                    return cudaSuccess;
                const dim3 grid((unsigned)ceil_div(dy.cols, (int64_t)N << bits), (unsigned)chunks);
                DF_LAUNCH((sum_products<D, Y, N>), grid, vector_threads, 0, stream,
                          static_cast<const D *>(dy.data), static_cast<const Y *>(y.data),
                          static_cast<const Y *>(residual), work, partial);
                return cudaGetLastError();
            });
        });
    });
    if (error != cudaSuccess)
        return error;
    DF_LAUNCH(divide_sums, (unsigned)ceil_div(dy.cols, vector_threads), vector_threads, 0, stream,
              static_cast<const double *>(partial), chunks, dy.cols, magnitude, gradient);
    return cudaGetLastError();
}
