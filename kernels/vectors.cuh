/* Neighbours of a row loaded as float, 1, 2 or 4 at a time (types.cuh has those of 16 bytes), and stored
 * again: the array's length says how many. And the last ones of an array, fewer than a vector. Addresses are
 * multiples of the bytes that are moved. */
#ifndef DINOFT_VECTORS_CUH
#define DINOFT_VECTORS_CUH

#include "dinoft/backend.h"
#include "types.cuh"

/* Threads of a block, where nothing else is said. */
constexpr int vector_thread_bits = 8, vector_threads = 1 << vector_thread_bits;

/* Blocks of a grid in its second dimension. */
constexpr int max_grid_y = 65535;

__device__ __forceinline__ void load_vector(const float *p, float (&values)[1])
{
    values[0] = *p;
}

__device__ __forceinline__ void load_vector(const float *p, float (&values)[2])
{
    const float2 v = *reinterpret_cast<const float2 *>(p);
    values[0] = v.x;
    values[1] = v.y;
}

__device__ __forceinline__ void load_vector(const __nv_bfloat16 *p, float (&values)[1])
{
    values[0] = load_float(p);
}

__device__ __forceinline__ void load_vector(const __nv_bfloat16 *p, float (&values)[4])
{
    const uint2 v = *reinterpret_cast<const uint2 *>(p);
    unpack_bf16(v.x, values[0], values[1]);
    unpack_bf16(v.y, values[2], values[3]);
}

/* To device memory, not shared. nvcc takes an assignment of a float4 apart and does not always put it
 * together again (seen as four stores of 4 bytes); __stwb, which is the way that stores go anyway, stays one
 * instruction. */
__device__ __forceinline__ void store_global(float *p, const float (&values)[1])
{
    *p = values[0];
}

__device__ __forceinline__ void store_global(float *p, const float (&values)[2])
{
    __stwb(reinterpret_cast<float2 *>(p), make_float2(values[0], values[1]));
}

__device__ __forceinline__ void store_global(float *p, const float (&values)[4])
{
    __stwb(reinterpret_cast<float4 *>(p), make_float4(values[0], values[1], values[2], values[3]));
}

__device__ __forceinline__ void store_global(__nv_bfloat16 *p, const float (&values)[1])
{
    store_float(p, values[0]);
}

__device__ __forceinline__ void store_global(__nv_bfloat16 *p, const float (&values)[2])
{
    *reinterpret_cast<uint32_t *>(p) = pack_bf16(values[0], values[1]);
}

__device__ __forceinline__ void store_global(__nv_bfloat16 *p, const float (&values)[4])
{
    __stwb(reinterpret_cast<uint2 *>(p),
           make_uint2(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3])));
}

__device__ __forceinline__ void store_global(__nv_bfloat16 *p, const float (&values)[8])
{
    __stwb(reinterpret_cast<uint4 *>(p),
           make_uint4(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]),
                      pack_bf16(values[4], values[5]), pack_bf16(values[6], values[7])));
}

/* The first of N elements, `count` of them there (1 or more; more than N: N); what is not there is 0. */
template <typename T, int N>
__device__ __forceinline__ void load_first(const T *p, int64_t count, float (&values)[N])
{
    if (count >= N) {
        load_vector(p, values);
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++)
        values[i] = i < count ? load_float(p + i) : 0.0f;
}

template <typename T, int N>
__device__ __forceinline__ void store_first(T *p, int64_t count, const float (&values)[N])
{
    if (count >= N) {
        store_global(p, values);
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++)
        if (i < count)
            store_float(p + i, values[i]);
}

/* Whether every row of a matrix begins at a multiple of n elements' bytes. */
inline bool aligns_rows(const struct df_matrix &x, int n, size_t element_bytes)
{
    return (uintptr_t)x.data % (n * element_bytes) == 0 && (x.ld % n == 0 || x.rows == 1);
}

/* --- a matrix shared among the threads of blocks: 2^bits lanes side by side along its rows, each with one
 * vector, the block's other threads in lines below, and a chunk of rows for a block --- */

/* The smallest n for which 2^n lanes have `vectors`, at most `most`. */
inline int lane_bits(int64_t vectors, int most)
{
    int bits = 0;
    while (bits < most && ((int64_t)1 << bits) < vectors)
        bits++;
    return bits;
}

/* Rows of a chunk so that a thread of `lines` has `least` of them, or more where there would be more chunks
 * than `most`. */
inline int64_t chunk_rows(int64_t rows, int lines, int least, int most)
{
    return lines * max((int64_t)least, ceil_div(rows, (int64_t)lines * most));
}

struct lane_and_line {
    int lane, line, lanes, lines, line_bits;
};

__device__ __forceinline__ struct lane_and_line lane_and_line(int bits)
{
    const int thread = (int)threadIdx.x, lanes = 1 << bits;
    return {thread & (lanes - 1), thread >> bits, lanes, vector_threads >> bits, vector_thread_bits - bits};
}

/* How many of the rows begin, …, end - 1 are a line's, which has every lines-th. */
__device__ __forceinline__ int rows_of_line(int64_t begin, int64_t end, const struct lane_and_line &at)
{
    return (int)((end - begin - at.line + at.lines - 1) >> at.line_bits);
}

/* Adds up the totals of a block's lines, in a tree: sums has them for each column at the thread of line 0,
 * which may read its own. All threads of the block call it. */
template <int N>
__device__ __forceinline__ void add_lines(const double (&total)[N], double (&sums)[N][vector_threads],
                                          const struct lane_and_line &at)
{
#pragma unroll
    for (int i = 0; i < N; i++)
        sums[i][threadIdx.x] = total[i];
    for (int half = vector_threads / 2; half >= at.lanes; half /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < half) {
#pragma unroll
            for (int i = 0; i < N; i++)
                sums[i][threadIdx.x] += sums[i][threadIdx.x + half];
        }
    }
}

#endif
