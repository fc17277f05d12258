#include "examples.h"

#include "mma.cuh"
#include "types.cuh"

template <typename T> __global__ void __launch_bounds__(128) row_sums(const T *x, float *sums, int columns)
{
    float sum = 0.0f, largest = -1e30f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        const float value = load_float(x + (int64_t)blockIdx.x * columns + i);
        sum += value;
        largest = max(largest, value);
    }
    sum = block_sum(sum);
    largest = block_max(largest);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = largest > -1e30f ? sum : 0.0f;
}

extern "C" cudaError_t sound_row_sums(cudaStream_t stream, const void *x, enum df_dtype type, float *sums,
                                      int rows, int columns)
{
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        DF_LAUNCH(row_sums<T>, (unsigned)rows, 128, 0, stream, static_cast<const T *>(x), sums, columns);
        return cudaGetLastError();
    });
}

constexpr int tile_size = 16;

__global__ void transpose(const float *x, float *y, int rows, int columns)
{
    DF_SHARED(float, tile, [tile_size][tile_size + 1]);
    const int row = blockIdx.y * tile_size + threadIdx.y, column = blockIdx.x * tile_size + threadIdx.x;

    if (row < rows && column < columns)
        tile[threadIdx.y][threadIdx.x] = x[row * columns + column];
    __syncthreads();
    const int to_row = blockIdx.x * tile_size + threadIdx.y, to_column = blockIdx.y * tile_size + threadIdx.x;
    if (to_row < columns && to_column < rows)
        y[to_row * rows + to_column] = tile[threadIdx.x][threadIdx.y];
}

extern "C" cudaError_t sound_transpose(cudaStream_t stream, const float *x, float *y, int rows, int columns)
{
    const dim3 grid((unsigned)ceil_div(columns, tile_size), (unsigned)ceil_div(rows, tile_size));
    DF_LAUNCH(transpose, grid, dim3(tile_size, tile_size), 0, stream, x, y, rows, columns);
    return cudaGetLastError();
}

/* One warp, 16 x 16 of c. Two buffers: while one step of 16 along k is multiplied, the next is on its way. */
template <bool b_is_k_n>
__global__ void __launch_bounds__(32)
    product(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c, int n, int k)
{
    DF_SHARED(__nv_bfloat16, a_tile, [2][16][24]);
    DF_SHARED(__nv_bfloat16, b_tile, [2][16][24]);
    const int lane = threadIdx.x, row = blockIdx.y * 16, column = blockIdx.x * 16;
    float sums[2][4] = {};

    const auto fetch = [&](int step) {
        const int line = lane / 2, half = lane % 2 * 8;
        const __nv_bfloat16 *const b_from = b_is_k_n ? b + (int64_t)(step * 16 + line) * n + column + half
                                                     : b + (int64_t)(column + line) * k + step * 16 + half;
        cp_async_16(&a_tile[step % 2][line][half], a + (int64_t)(row + line) * k + step * 16 + half, true);
        cp_async_16(&b_tile[step % 2][line][half], b_from, true);
        cp_async_commit();
    };
    fetch(0);
    for (int step = 0; step < k / 16; step++) {
        __syncwarp();
        if (step + 1 < k / 16) {
            fetch(step + 1);
            cp_async_wait<1>();
        } else {
            cp_async_wait<0>();
        }
        __syncwarp();
        uint32_t a_part[4], b_part[4];
        ldmatrix_x4(a_part, &a_tile[step % 2][lane % 16][lane / 16 * 8]);
        if (b_is_k_n)
            ldmatrix_x4_trans(b_part, &b_tile[step % 2][lane % 8 + lane / 8 % 2 * 8][lane / 16 * 8]);
        else
            ldmatrix_x4(b_part, &b_tile[step % 2][lane % 8 + lane / 16 * 8][lane / 8 % 2 * 8]);
        mma_m16n8k16(sums[0], a_part, b_part, sums[0]);
        /* The same once more, by twos. */
        if (b_is_k_n)
            ldmatrix_x2_trans(b_part, &b_tile[step % 2][lane % 16][8]);
        else
            ldmatrix_x2(b_part, &b_tile[step % 2][8 + lane % 8][lane / 8 % 2 * 8]);
        mma_m16n8k16(sums[1], a_part, b_part, sums[1]);
    }
    for (int i = 0; i < 8; i++) {
        const int r = row + lane / 4 + i % 4 / 2 * 8, col = column + i / 4 * 8 + lane % 4 * 2 + i % 2;
        c[(int64_t)r * n + col] = sums[i / 4][i % 4];
    }
}

extern "C" cudaError_t sound_product(cudaStream_t stream, const void *a, const void *b, bool b_is_k_n,
                                     float *c, int m, int n, int k)
{
    const dim3 grid((unsigned)n / 16, (unsigned)m / 16);
    const __nv_bfloat16 *const left = static_cast<const __nv_bfloat16 *>(a),
                               *const right = static_cast<const __nv_bfloat16 *>(b);
    if (b_is_k_n)
        DF_LAUNCH(product<true>, grid, 32, 0, stream, left, right, c, n, k);
    else
        DF_LAUNCH(product<false>, grid, 32, 0, stream, left, right, c, n, k);
    return cudaGetLastError();
}

__device__ uint32_t pair_of(const __nv_bfloat16 *first, const __nv_bfloat16 *second)
{
    return (uint32_t)__bfloat16_as_ushort(*first) | (uint32_t)__bfloat16_as_ushort(*second) << 16;
}

__global__ void fragments(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c)
{
    const int group = threadIdx.x >> 2, inside = threadIdx.x & 3;
    uint32_t a_part[4], b_part[2];
    float c_part[4], d_part[4];

    for (int i = 0; i < 8; i += 2) {
        const int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
        const int column = inside * 2 + (i >= 4 ? 8 : 0);
        a_part[i / 2] = pair_of(&a[row * 16 + column], &a[row * 16 + column + 1]);
    }
    for (int i = 0; i < 4; i += 2) {
        const int row = inside * 2 + (i >= 2 ? 8 : 0);
        b_part[i / 2] = pair_of(&b[row * 8 + group], &b[(row + 1) * 8 + group]);
    }
    for (int i = 0; i < 4; i++)
        c_part[i] = c[(i < 2 ? group : group + 8) * 8 + inside * 2 + (i & 1)];
    mma_m16n8k16(d_part, a_part, b_part, c_part);
    for (int i = 0; i < 4; i++)
        c[(i < 2 ? group : group + 8) * 8 + inside * 2 + (i & 1)] = d_part[i];
}

extern "C" cudaError_t sound_fragments(cudaStream_t stream, const void *a, const void *b, float *c)
{
    DF_LAUNCH(fragments, 1, 32, 0, stream, static_cast<const __nv_bfloat16 *>(a),
              static_cast<const __nv_bfloat16 *>(b), c);
    return cudaGetLastError();
}

__global__ void exchange_lanes(int *out)
{
    const int lane = threadIdx.x, value = 100 + lane;

    out[0 * 32 + lane] = __shfl_sync(all_lanes, value, 5);
    out[1 * 32 + lane] = __shfl_sync(all_lanes, value, lane + 1, 8);
    out[2 * 32 + lane] = __shfl_up_sync(all_lanes, value, 3);
    out[3 * 32 + lane] = __shfl_up_sync(all_lanes, value, 3, 16);
    out[4 * 32 + lane] = __shfl_down_sync(all_lanes, value, 4);
    out[5 * 32 + lane] = __shfl_down_sync(all_lanes, value, 4, 8);
    out[6 * 32 + lane] = __shfl_xor_sync(all_lanes, value, 9);
    out[7 * 32 + lane] = (int)(__shfl_xor_sync(all_lanes, value * 1e10, 1) / 1e10); /* 8 bytes */
    out[8 * 32 + lane] = (int)__ballot_sync(all_lanes, lane % 3 == 0);
    out[9 * 32 + lane] = __any_sync(all_lanes, lane == 7) + 2 * __any_sync(all_lanes, lane == 32);
    out[10 * 32 + lane] = __all_sync(all_lanes, lane < 32) + 2 * __all_sync(all_lanes, lane < 31);
    if (lane < 8)
        out[11 * 32 + lane] = __shfl_xor_sync(0xffu, value, 7);
    else
        out[11 * 32 + lane] = __shfl_sync(0xffffff00u, value, 31);
}

extern "C" cudaError_t sound_lanes(cudaStream_t stream, int *out)
{
    DF_LAUNCH(exchange_lanes, 1, 32, 0, stream, out);
    return cudaGetLastError();
}

/* Lanes of a warp pass values on with __syncwarp alone, and warps do so at different speeds. */
__global__ void pass_on(int *out, int rounds)
{
    DF_SHARED(int, values, [64]);
    const int i = threadIdx.x, neighbour = i / 32 * 32 + (i + 1) % 32;

    values[i] = i;
    __syncwarp();
    for (int round = 0; round < rounds + i / 32; round++) {
        const int next = values[neighbour];
        __syncwarp();
        values[i] = values[i] + next;
        __syncwarp();
    }
    __syncthreads();
    out[i] = values[63 - i];
}

extern "C" cudaError_t sound_pass_on(cudaStream_t stream, int *out, int rounds)
{
    DF_LAUNCH(pass_on, 1, 64, 0, stream, out, rounds);
    return cudaGetLastError();
}

__global__ void histogram(const uint8_t *labels, int count, unsigned *counts, int classes)
{
    DF_SHARED(unsigned, own, [256]);

    for (int i = threadIdx.x; i < classes; i += blockDim.x)
        own[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
        atomicAdd(&own[labels[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < classes; i += blockDim.x)
        atomicAdd(&counts[i], own[i]);
}

extern "C" cudaError_t sound_histogram(cudaStream_t stream, const uint8_t *labels, int count,
                                       unsigned *counts, int classes)
{
    DF_LAUNCH(histogram, 3, 96, 0, stream, labels, count, counts, classes);
    return cudaGetLastError();
}

__global__ void number_threads(int *numbers)
{
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const unsigned number = block * (blockDim.x * blockDim.y * blockDim.z) + thread;

    numbers[number] = (int)number + 1;
}

extern "C" cudaError_t sound_thread_numbers(cudaStream_t stream, int *numbers, const unsigned grid[3],
                                            const unsigned block[3])
{
    DF_LAUNCH(number_threads, dim3(grid[0], grid[1], grid[2]), dim3(block[0], block[1], block[2]), 0, stream,
              numbers);
    return cudaGetLastError();
}

struct settings {
    float factor, y;
    int unused[7];
};

static __constant__ const float table[4] = {1.0f, 2.0f, 3.0f, 4.0f};

__global__ void use_arguments(float *x, const struct settings s, const int count)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;

    if (i < count)
        x[i] += table[i % 4] + s.factor * s.y;
}

extern "C" cudaError_t sound_arguments(cudaStream_t stream, float *x, int count, float y)
{
    struct settings s = {1.0f, y, {}};
    DF_LAUNCH(use_arguments, (unsigned)ceil_div(count, 64), 64, 0, stream, x, s, count);
    s.y = -1.0f; /* too late to matter */
    return cudaGetLastError();
}

__global__ void use_dynamic(float *out)
{
    DF_DYNAMIC_SHARED(float, values);
    const int i = threadIdx.x, next = (i + 1) % blockDim.x;

    values[i] = (float)i;
    __syncthreads();
    out[i] = values[i] + values[next];
}

extern "C" cudaError_t sound_dynamic(cudaStream_t stream, float *out, int threads, size_t bytes)
{
    DF_LAUNCH(use_dynamic, 1, (unsigned)threads, bytes, stream, out);
    return cudaGetLastError();
}

extern "C" cudaError_t sound_dynamic_allow(size_t bytes)
{
    return cudaFuncSetAttribute(use_dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
}

__global__ void rows_apart(const unsigned *data, unsigned *out, int stride)
{
    DF_DYNAMIC_SHARED(char, tile);
    char *const own = tile + (int)threadIdx.x * stride;
    uint32_t r[4];

    cp_async_16(own, data + 4 * threadIdx.x, true);
    cp_async_commit();
    cp_async_wait<0>();
    __syncwarp();
    ldmatrix_x4(r, own);
    const uint4 row = *reinterpret_cast<const uint4 *>(own);
    __syncwarp();
    *reinterpret_cast<unsigned *>(own) = row.y;
    out[threadIdx.x] = r[0] + r[1] + r[2] + r[3];
}

extern "C" cudaError_t sound_rows(cudaStream_t stream, const void *data, unsigned *out, int stride)
{
    DF_LAUNCH(rows_apart, 1, warp_lanes, (size_t)(32 * stride), stream, static_cast<const unsigned *>(data),
              out, stride);
    return cudaGetLastError();
}

__global__ void __launch_bounds__(2 * warp_lanes, 2) bounded(int *out)
{
    if (threadIdx.x == 0)
        *out = (int)blockDim.x;
}

extern "C" cudaError_t sound_bounded(cudaStream_t stream, int *out, int threads)
{
    DF_LAUNCH(bounded, 1, (unsigned)threads, 0, stream, out);
    return cudaGetLastError();
}

__global__ void count_positive(const int *x, int *count)
{
    const int positive = x[threadIdx.x] > 0, there = __syncthreads_count(positive);
    const int any = __syncthreads_or(positive), all = __syncthreads_and(positive);

    if (threadIdx.x == blockDim.x - 1)
        *count = there + 1000 * any + 2000 * all;
}

extern "C" cudaError_t sound_count(cudaStream_t stream, const int *x, int *count, int threads)
{
    DF_LAUNCH(count_positive, 1, (unsigned)threads, 0, stream, x, count);
    return cudaGetLastError();
}
