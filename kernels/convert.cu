/* Matrices copied, and converted between float32 and bfloat16: destination, source [rows, cols], each with
 * rows its own ld elements apart. An array is a matrix of one row.
 *
 * Geometry: a block has lanes along a row, as many as a power of two up to 256, the rest of its threads in
 * lines below. A lane has 4 neighbours, or 8 where both are bfloat16: 16 bytes of the wider matrix, so that a
 * warp's accesses are coalesced, 256 or 512 bytes. Where an address or a leading dimension does not
 * allow that, it has one element. It has these of 4 rows. Grid: (blocks along a row, chunks of rows).
 *
 * Bound by memory: every element is read once and written once. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int rows_of_thread = 4;

/* To nearest, ties to even. A NaN keeps its sign and the upper bits of its payload, as it does on the CPU:
 * the device's own conversion has one NaN for all. */
__device__ __forceinline__ uint32_t narrow(float value)
{
    const uint32_t rounded = __bfloat16_as_ushort(__float2bfloat16_rn(value));
    return value == value ? rounded : __float_as_uint(value) >> 16 | 0x40u;
}

template <int N> __device__ __forceinline__ void copy_vector(float *to, const __nv_bfloat16 *from)
{
    float values[N];
    load_vector(from, values);
    store_global(to, values);
}

template <int N> __device__ __forceinline__ void copy_vector(__nv_bfloat16 *to, const float *from)
{
    float values[N];
    load_vector(from, values);
    if constexpr (N == 4)
        __stwb(reinterpret_cast<uint2 *>(to), make_uint2(narrow(values[0]) | narrow(values[1]) << 16,
                                                         narrow(values[2]) | narrow(values[3]) << 16));
    else
        *to = __ushort_as_bfloat16((unsigned short)narrow(values[0]));
}

/* As they are: nothing here may quieten a NaN. */
template <int N, typename T> __device__ __forceinline__ void copy_vector(T *to, const T *from)
{
    if constexpr (N > 1)
        __stwb(reinterpret_cast<uint4 *>(to), *reinterpret_cast<const uint4 *>(from));
    else
        *to = *from;
}

template <typename TO, typename FROM, int N>
__global__ void __launch_bounds__(vector_threads)
    convert(TO *to, int64_t to_ld, const FROM *from, int64_t from_ld, int64_t rows, int64_t cols,
            int64_t chunk, int bits)
{
    const struct lane_and_line at = lane_and_line(bits);
    const int64_t column = ((int64_t)blockIdx.x * at.lanes + at.lane) * N;
    const int64_t begin = blockIdx.y * chunk, end = min(begin + chunk, rows);
    const int count = rows_of_line(begin, end, at);
    if (column >= cols)
        return;
    to += (begin + at.line) * to_ld + column;
    from += (begin + at.line) * from_ld + column;
    to_ld *= at.lines;
    from_ld *= at.lines;
    if (column + N <= cols) {
#pragma unroll 4
        for (int k = 0; k < count; k++)
            copy_vector<N>(to + k * to_ld, from + k * from_ld);
    } else { /* the row's last, fewer than N */
#pragma unroll 1
        for (int k = 0; k < count; k++)
#pragma unroll 1
            for (int i = 0; i < cols - column; i++)
                copy_vector<1>(to + k * to_ld + i, from + k * from_ld + i);
    }
}

template <typename TO, typename FROM, int N>
cudaError_t launch(cudaStream_t stream, const struct df_matrix &to, const struct df_matrix &from)
{
    const int bits = lane_bits(ceil_div(to.cols, N), vector_thread_bits);
    const int64_t chunk = chunk_rows(to.rows, vector_threads >> bits, rows_of_thread, max_grid_y);
    const dim3 grid((unsigned)ceil_div(to.cols, (int64_t)N << bits), (unsigned)ceil_div(to.rows, chunk));
    DF_LAUNCH((convert<TO, FROM, N>), grid, vector_threads, 0, stream, static_cast<TO *>(to.data), to.ld,
              static_cast<const FROM *>(from.data), from.ld, to.rows, to.cols, chunk, bits);
    return cudaGetLastError();
}

} // namespace

cudaError_t df_launch_convert(cudaStream_t stream, struct df_matrix destination, struct df_matrix source)
{
    if (destination.rows != source.rows || destination.cols != source.cols)
        return cudaErrorInvalidValue;
    if (source.rows == 0 || source.cols == 0)
        return cudaSuccess;
    if (destination.ld == destination.cols && source.ld == source.cols) { /* rows without gaps are one */
        destination.cols = destination.ld = source.cols = source.ld = source.rows * source.cols;
        destination.rows = source.rows = 1;
    }
    return dispatch(destination.type, [&](auto to) {
        return dispatch(source.type, [&](auto from) {
            using TO = decltype(to);
            using FROM = decltype(from);
            constexpr int N = 16 / (int)(sizeof(TO) > sizeof(FROM) ? sizeof(TO) : sizeof(FROM));
            if (aligns_rows(destination, N, sizeof(TO)) && aligns_rows(source, N, sizeof(FROM)))
                return launch<TO, FROM, N>(stream, destination, source);
            return launch<TO, FROM, 1>(stream, destination, source);
        });
    });
}
