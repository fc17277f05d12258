/* Sums over the rows of a matrix, and a bias added to each of them. x [rows, cols], rows ld elements apart;
 * out, bias [cols] float32.
 *
 * Sums: a block has lanes along a row (a power of two, at most 32), each with the columns of 16 bytes or,
 * where rows do not begin at multiples of 16 bytes, with one, and 256 / lanes lines of threads. A thread adds
 * up every (256 / lanes)-th row of the block's chunk, then the block's lines are added up in a tree, and the
 * block leaves a row of partial sums. The same kernel with one chunk reduces these [chunks, cols] to out. The
 * order of additions depends on the shape alone. Sums are double, as on the CPU: gradients of a bias are
 * small differences of large sums, and an addition a float read is no work. Grid: (blocks of columns, chunks
 * of rows).
 *
 * Bound by memory: x is read once. The partial sums, at most 1024 rows, are written and read.
 *
 * Bias: the same lanes and lines, 4 rows a thread; x is read and written once, bias stays in registers. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int max_chunks = 1024, min_rows_of_thread = 16, bias_rows_of_thread = 4;
constexpr int sum_lane_bits = 5;
/* For the partial sums, which are few: 32 lines of 8 lanes. */
constexpr int partial_lane_bits = 3;

__device__ __forceinline__ void load_wide(const double *p, double (&values)[1])
{
    values[0] = *p;
}

template <typename T, int N> __device__ __forceinline__ void load_wide(const T *p, double (&values)[N])
{
    float narrow[N];
    load_vector(p, narrow);
#pragma unroll
    for (int i = 0; i < N; i++)
        values[i] = (double)narrow[i];
}

template <typename T, int N, typename OUT>
__global__ void __launch_bounds__(vector_threads, 3)
    sum_rows(const T *x, int64_t rows, int64_t cols, int64_t ld, int64_t chunk, int bits, OUT *out)
{
    DF_SHARED(double, sums, [N][vector_threads]);
    const struct lane_and_line at = lane_and_line(bits);
    const int64_t column = ((int64_t)blockIdx.x * at.lanes + at.lane) * N;
    const int64_t begin = blockIdx.y * chunk, end = min(begin + chunk, rows);
    double total[N];

#pragma unroll
    for (int i = 0; i < N; i++)
        total[i] = 0.0;
    if (column < cols) {
        const T *from = x + (begin + at.line) * ld + column;
        const int count = rows_of_line(begin, end, at);
#pragma unroll 4
        for (int k = 0; k < count; k++, from += at.lines * ld) {
            double values[N];
            load_wide(from, values);
#pragma unroll
            for (int i = 0; i < N; i++)
                total[i] += values[i];
        }
    }
    add_lines(total, sums, at);
    if (at.line == 0 && column < cols) {
#pragma unroll
        for (int i = 0; i < N; i++)
            out[blockIdx.y * cols + column + i] = (OUT)sums[i][threadIdx.x];
    }
}

template <int N>
__global__ void __launch_bounds__(vector_threads)
    add_bias(float *x, int64_t rows, int64_t cols, int64_t ld, int64_t chunk, int bits, const float *bias)
{
    const struct lane_and_line at = lane_and_line(bits);
    const int64_t column = ((int64_t)blockIdx.x * at.lanes + at.lane) * N;
    const int64_t begin = blockIdx.y * chunk, end = min(begin + chunk, rows);
    if (column >= cols)
        return;
    float added[N];
    load_vector(bias + column, added);
    float *to = x + (begin + at.line) * ld + column;
    const int count = rows_of_line(begin, end, at);
#pragma unroll 4
    for (int k = 0; k < count; k++, to += at.lines * ld) {
        float values[N];
        load_vector(to, values);
#pragma unroll
        for (int i = 0; i < N; i++)
            values[i] += added[i];
        store_global(to, values);
    }
}

/* The rows of a sum's chunk. */
int64_t sum_chunk(int64_t rows, int bits)
{
    return chunk_rows(rows, vector_threads >> bits, min_rows_of_thread, max_chunks);
}

template <typename T, int N, typename OUT>
cudaError_t launch_sum(cudaStream_t stream, const T *x, int64_t rows, int64_t cols, int64_t ld, int64_t chunk,
                       int bits, OUT *out)
{
    const dim3 grid((unsigned)ceil_div(cols, (int64_t)N << bits),
                    (unsigned)max((int64_t)1, ceil_div(rows, chunk)));
    DF_LAUNCH((sum_rows<T, N, OUT>), grid, vector_threads, 0, stream, x, rows, cols, ld, chunk, bits, out);
    return cudaGetLastError();
}

template <typename T, int N>
cudaError_t column_sum(cudaStream_t stream, const struct df_matrix &x, float *out, double *partial)
{
    const T *const data = static_cast<const T *>(x.data);
    const int bits = lane_bits(ceil_div(x.cols, N), sum_lane_bits);
    const int64_t chunk = sum_chunk(x.rows, bits), chunks = ceil_div(x.rows, chunk);
    if (chunks <= 1)
        return launch_sum<T, N>(stream, data, x.rows, x.cols, x.ld, chunk, bits, out);
    const cudaError_t error = launch_sum<T, N>(stream, data, x.rows, x.cols, x.ld, chunk, bits, partial);
    if (error != cudaSuccess)
        return error;
    return launch_sum<double, 1>(stream, static_cast<const double *>(partial), chunks, x.cols, x.cols, chunks,
                                 lane_bits(x.cols, partial_lane_bits), out);
}

template <int N> cudaError_t launch_bias(cudaStream_t stream, const struct df_matrix &x, const float *bias)
{
    const int bits = lane_bits(ceil_div(x.cols, N), sum_lane_bits);
    const int64_t chunk = chunk_rows(x.rows, vector_threads >> bits, bias_rows_of_thread, max_grid_y);
    const dim3 grid((unsigned)ceil_div(x.cols, (int64_t)N << bits), (unsigned)ceil_div(x.rows, chunk));
    DF_LAUNCH(add_bias<N>, grid, vector_threads, 0, stream, static_cast<float *>(x.data), x.rows, x.cols,
              x.ld, chunk, bits, bias);
    return cudaGetLastError();
}

} // namespace

/* For lanes of one column, which have the fewest lines and so the most chunks. */
size_t df_launch_column_sum_scratch(struct df_matrix x)
{
    const int64_t chunk = sum_chunk(x.rows, lane_bits(x.cols, sum_lane_bits));
    const int64_t chunks = ceil_div(x.rows, chunk);
    return (size_t)(chunks * x.cols) * sizeof(double);
}

cudaError_t df_launch_column_sum(cudaStream_t stream, struct df_matrix x, float *out, void *scratch)
{
    if (x.cols == 0)
        return cudaSuccess;
    return dispatch(x.type, [&](auto element) {
        using T = decltype(element);
        constexpr int N = vector_width<T>;
        if (x.cols % N == 0 && aligns_rows(x, N, sizeof(T)))
            return column_sum<T, N>(stream, x, out, static_cast<double *>(scratch));
        return column_sum<T, 1>(stream, x, out, static_cast<double *>(scratch));
    });
}

cudaError_t df_launch_add_bias(cudaStream_t stream, struct df_matrix x, const float *bias)
{
    if (x.type != DF_F32)
        return cudaErrorInvalidValue;
    if (x.rows == 0 || x.cols == 0)
        return cudaSuccess;
    if (x.cols % 4 == 0 && aligns_rows(x, 4, sizeof(float)) && is_aligned_16(bias))
        return launch_bias<4>(stream, x, bias);
    return launch_bias<1>(stream, x, bias);
}
