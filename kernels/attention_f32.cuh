/* Pieces of attention in float32, shared by its forward and backward pass: no tensor cores.
 *
 * A block of 256 threads owns 64 rows (queries, or keys where their gradients are summed) and works through
 * the other side's rows, 16 J at a time. Thread (y, x), y = thread / 16, x = thread % 16, has own rows 4y to
 * 4y + 3: of their products with the other rows x + 16 j, of their sums [HEAD] columns 4x to 4x + 3 of every
 * 64. What goes from one kind of product to the other (probabilities, their gradients) passes through shared
 * memory, within the 16 lanes that have the same own rows.
 *
 * Rows of tiles are 4 floats longer than HEAD: eight lanes that read 16 bytes of rows one after another, or
 * of the same row, meet different banks. A thread reads 16 bytes 4 + J times for 16 J multiply-adds in the
 * first kind of product, eight times for 64 in the second. */
#ifndef DINOFT_ATTENTION_F32_CUH
#define DINOFT_ATTENTION_F32_CUH

#include "attention_head.cuh"
#include "mma.cuh"
#include "vectors.cuh"

constexpr int f32_threads = 256, f32_own = 64;

/* Floats of a tile of `rows` rows, and of the weights [own rows, other rows]. */
template <int HEAD> constexpr int f32_tile(int rows)
{
    return rows * (HEAD + 4);
}
template <int OTHER> constexpr int f32_weight_row = OTHER + 4;
template <int OTHER> constexpr int f32_weights = f32_own *f32_weight_row<OTHER>;

/* Starts to copy rows [first, first + ROWS) of a head, `stride` elements apart; zeros for those from `count`
 * on. */
template <int HEAD, int ROWS>
__device__ __forceinline__ void f32_copy_tile(float *tile, const float *rows, int64_t stride, int first,
                                              int count)
{
    constexpr int VECTORS = HEAD / 4, AT_ONCE = f32_threads / VECTORS;
    static_assert(ROWS % AT_ONCE == 0, "every thread copies as many vectors");
    const int vector = (int)threadIdx.x % VECTORS;
    for (int i = 0; i < ROWS; i += AT_ONCE) {
        const int row = i + (int)threadIdx.x / VECTORS;
        const bool present = first + row < count;
        cp_async_16(tile + row * (HEAD + 4) + vector * 4,
                    rows + (present ? first + row : 0) * stride + vector * 4, present);
    }
}

__device__ __forceinline__ float4 f32_read(const float *from)
{
    return *reinterpret_cast<const float4 *>(from);
}

/* products[i][j] = own row 4y + i times other row x + 16 j. */
template <int HEAD, int J>
__device__ __forceinline__ void f32_multiply_rows(float (&products)[4][J], const float *own,
                                                  const float *other)
{
    const int x = (int)threadIdx.x % 16, y = (int)threadIdx.x / 16;
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < J; j++)
            products[i][j] = 0.0f;
    }
#pragma unroll(2 * J)
    for (int column = 0; column < HEAD; column += 4) {
        float4 b[J];
#pragma unroll
        for (int j = 0; j < J; j++)
            b[j] = f32_read(other + (x + 16 * j) * (HEAD + 4) + column);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float4 a = f32_read(own + (4 * y + i) * (HEAD + 4) + column);
#pragma unroll
            for (int j = 0; j < J; j++) {
                products[i][j] = fmaf(a.x, b[j].x, products[i][j]);
                products[i][j] = fmaf(a.y, b[j].y, products[i][j]);
                products[i][j] = fmaf(a.z, b[j].z, products[i][j]);
                products[i][j] = fmaf(a.w, b[j].w, products[i][j]);
            }
        }
    }
}

/* To shared memory, for f32_add_product of the same 16 lanes. */
template <int J> __device__ __forceinline__ void f32_put_weights(float *weights, const float (&values)[4][J])
{
    const int x = (int)threadIdx.x % 16, y = (int)threadIdx.x / 16;
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < J; j++)
            weights[(4 * y + i) * f32_weight_row<16 * J> + x + 16 * j] = values[i][j];
    }
    __syncwarp();
}

/* sums [own rows, HEAD] += weights [own rows, other rows] times the other rows; the thread's sums[i][4 c + k]
 * is of own row 4y + i, column 64 c + 4x + k. */
template <int HEAD, int OTHER>
__device__ __forceinline__ void f32_add_product(float (&sums)[4][HEAD / 16], const float *weights,
                                                const float *other)
{
    const int x = (int)threadIdx.x % 16, y = (int)threadIdx.x / 16;
#pragma unroll 1
    for (int row = 0; row < OTHER; row += 4) {
        float weight[4][4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float4 four = f32_read(weights + (4 * y + i) * f32_weight_row<OTHER> + row);
            weight[i][0] = four.x;
            weight[i][1] = four.y;
            weight[i][2] = four.z;
            weight[i][3] = four.w;
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
            for (int c = 0; c < HEAD / 64; c++) {
                const float4 b = f32_read(other + (row + j) * (HEAD + 4) + 64 * c + 4 * x);
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    sums[i][4 * c] = fmaf(weight[i][j], b.x, sums[i][4 * c]);
                    sums[i][4 * c + 1] = fmaf(weight[i][j], b.y, sums[i][4 * c + 1]);
                    sums[i][4 * c + 2] = fmaf(weight[i][j], b.z, sums[i][4 * c + 2]);
                    sums[i][4 * c + 3] = fmaf(weight[i][j], b.w, sums[i][4 * c + 3]);
                }
            }
        }
    }
}

/* sums times factor[i] to rows of global memory `stride` elements apart, those below `count`. */
template <int HEAD>
__device__ __forceinline__ void f32_store_rows(const float (&sums)[4][HEAD / 16], const float (&factor)[4],
                                               float *rows, int64_t stride, int first, int count)
{
    const int x = (int)threadIdx.x % 16, y = (int)threadIdx.x / 16;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int row = first + 4 * y + i;
        if (row >= count)
            continue;
#pragma unroll
        for (int c = 0; c < HEAD / 64; c++) {
            const float values[4] = {sums[i][4 * c] * factor[i], sums[i][4 * c + 1] * factor[i],
                                     sums[i][4 * c + 2] * factor[i], sums[i][4 * c + 3] * factor[i]};
            store_global(rows + row * stride + 64 * c + 4 * x, values);
        }
    }
}

/* Maximum and sum over the 16 lanes that have the same own rows. */
__device__ __forceinline__ float f32_row_max(float value)
{
#pragma unroll
    for (int way = 8; way > 0; way /= 2)
        value = fmaxf(value, __shfl_xor_sync(all_lanes, value, way));
    return value;
}

__device__ __forceinline__ float f32_row_sum(float value)
{
#pragma unroll
    for (int way = 8; way > 0; way /= 2)
        value += __shfl_xor_sync(all_lanes, value, way);
    return value;
}

#endif
