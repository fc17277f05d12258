/* Pieces of attention in bfloat16 on the tensor cores, shared by its forward and backward pass.
 *
 * Every warp owns 16 M rows of a block's 128 (queries, or keys where their gradients are summed) and works
 * through the other side's rows, tile by tile: products [own rows, other rows] of two operands come out as
 * float32 sums in registers, laid out so that, rounded, they are the left operand of the next product. They
 * never pass through shared memory.
 *
 * A tile is rows of one head, [rows, HEAD]. A row's 16-byte vectors are swizzled by the row's number (vector
 * ^ (row % 8)), so that the eight addresses of a matrix that ldmatrix reads, and the vectors that eight lanes
 * write, lie in different banks. Each warp reads a tile's fragment once for all its M strips: for M = 2 that
 * is 256 bytes of shared memory, two cycles of an SM, for two products of 4096 operations, at the least two
 * cycles on sm_90 and four on sm_80. */
#ifndef DINOFT_ATTENTION_BF16_CUH
#define DINOFT_ATTENTION_BF16_CUH

#include "attention_head.cuh"
#include "mma.cuh"

#include <math.h>

/* A block, and how many of them an SM has: eight warps in all, which is what registers allow. `OTHER` rows of
 * the other side are a tile; two of its operands are a stage, of which there are two. */
template <int HEAD, int OTHER_ROWS> struct bf16_block {
    static constexpr int M = 128 / HEAD, WARPS = 8 / M, THREADS = 32 * WARPS, BLOCKS = 8 / WARPS;
    static constexpr int OWN = 16 * M * WARPS, OTHER = OTHER_ROWS, N = OTHER / 8;
    static constexpr int OWN_TILE = OWN * HEAD, OTHER_TILE = OTHER * HEAD, STAGE = 2 * OTHER_TILE;

    /* Bytes of shared memory, with `own` of the block's own operands and `more` bytes. */
    static constexpr size_t shared(int own, size_t more)
    {
        return (own * OWN_TILE + 2 * STAGE) * sizeof(__nv_bfloat16) + more;
    }
    static constexpr bool fits(size_t bytes)
    {
        return BLOCKS * (bytes + taken_by_block) <= least_sm_shared;
    }
};

/* The offset of vector `vector` of a row in a tile, in elements. */
template <int HEAD> __device__ __forceinline__ int swizzled_offset(int row, int vector)
{
    return row * HEAD + ((vector ^ (row & 7)) << 3);
}

/* Starts to copy rows [first, first + ROWS) of a head, `stride` elements apart; zeros for those from `count`
 * on. */
template <int HEAD, int ROWS, int THREADS>
__device__ __forceinline__ void copy_tile(__nv_bfloat16 *tile, const __nv_bfloat16 *rows, int64_t stride,
                                          int first, int count)
{
    constexpr int VECTORS = HEAD / 8, AT_ONCE = THREADS / VECTORS;
    static_assert(ROWS % AT_ONCE == 0 && THREADS % VECTORS == 0, "every thread copies as many vectors");
    const int vector = (int)threadIdx.x % VECTORS;
#pragma unroll
    for (int i = 0; i < ROWS; i += AT_ONCE) {
        const int row = i + (int)threadIdx.x / VECTORS;
        const bool present = first + row < count;
        cp_async_16(tile + swizzled_offset<HEAD>(row, vector),
                    rows + (present ? first + row : 0) * stride + vector * 8, present);
    }
}

/* Left operand [16, 16]: rows from `row` on, columns from 16 * step on. As the right operand of a product
 * over the tile's rows (transposed): b[0], b[1] for its first eight columns, b[2], b[3] for the others. */
template <int HEAD>
__device__ __forceinline__ const __nv_bfloat16 *square(const __nv_bfloat16 *tile, int row, int step, int lane)
{
    return tile + swizzled_offset<HEAD>(row + lane % 16, 2 * step + lane / 16);
}

/* Right operand of a product with the tile's transpose, 16 of its rows: b[0], b[1] for the first eight. */
template <int HEAD>
__device__ __forceinline__ const __nv_bfloat16 *transposed_square(const __nv_bfloat16 *tile, int row,
                                                                  int step, int lane)
{
    return tile + swizzled_offset<HEAD>(row + lane % 8 + lane / 16 * 8, 2 * step + lane / 8 % 2);
}

/* A warp's own rows as left operands: kept in registers or read again for each product. */
template <int HEAD, int M, bool KEEP> struct own_rows {
    static constexpr int STEPS = HEAD / 16;
    const __nv_bfloat16 *tile;
    int row, lane;
    uint32_t kept[KEEP ? M : 1][KEEP ? STEPS : 1][4];

    __device__ __forceinline__ own_rows(const __nv_bfloat16 *tile_, int row_, int lane_)
        : tile(tile_), row(row_), lane(lane_)
    {
        if constexpr (KEEP) {
#pragma unroll
            for (int m = 0; m < M; m++) {
#pragma unroll
                for (int step = 0; step < STEPS; step++)
                    ldmatrix_x4(kept[m][step], square<HEAD>(tile, row + 16 * m, step, lane));
            }
        }
    }

    __device__ __forceinline__ void load(uint32_t (&a)[4], int m, int step) const
    {
        if constexpr (KEEP) {
#pragma unroll
            for (int i = 0; i < 4; i++)
                a[i] = kept[m][step][i];
        } else {
            ldmatrix_x4(a, square<HEAD>(tile, row + 16 * m, step, lane));
        }
    }
};

template <int M, int N> __device__ __forceinline__ void clear(float (&sums)[M][N][4])
{
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++)
                sums[m][n][i] = 0.0f;
        }
    }
}

/* sums [own rows, 8 N] = own rows times the transpose of the tile's 8 N rows. */
template <int HEAD, int M, int N, bool KEEP>
__device__ __forceinline__ void multiply_rows(float (&sums)[M][N][4], const own_rows<HEAD, M, KEEP> &own,
                                              const __nv_bfloat16 *tile)
{
    clear(sums);
/* Whole where the steps are named at compile time; unrolled further otherwise, the addresses of all steps
 * take registers that the sums need. */
#pragma unroll(KEEP ? HEAD / 16 : 2)
    for (int step = 0; step < HEAD / 16; step++) {
        uint32_t a[M][4], b[4];
#pragma unroll
        for (int m = 0; m < M; m++)
            own.load(a[m], m, step);
#pragma unroll
        for (int n = 0; n < N; n += 2) {
            ldmatrix_x4(b, transposed_square<HEAD>(tile, 8 * n, step, own.lane));
#pragma unroll
            for (int m = 0; m < M; m++) {
                mma_m16n8k16(sums[m][n], a[m], b, sums[m][n]);
                mma_m16n8k16(sums[m][n + 1], a[m], b + 2, sums[m][n + 1]);
            }
        }
    }
}

/* Scores [own rows, 8 N] from column `columns` on to minus infinity. */
template <int M, int N>
__device__ __forceinline__ void mask_columns(float (&scores)[M][N][4], int columns, int lane)
{
    if (columns >= 8 * N)
        return;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                if (8 * n + lane % 4 * 2 + i % 2 >= columns)
                    scores[m][n][i] = -INFINITY;
            }
        }
    }
}

/* Columns 16 * pair to 16 * pair + 15 of values [own rows, 8 N], rounded, as a left operand. */
template <int N>
__device__ __forceinline__ void round_square(uint32_t (&a)[4], const float (&values)[N][4], int pair)
{
    a[0] = pack_bf16(values[2 * pair][0], values[2 * pair][1]);
    a[1] = pack_bf16(values[2 * pair][2], values[2 * pair][3]);
    a[2] = pack_bf16(values[2 * pair + 1][0], values[2 * pair + 1][1]);
    a[3] = pack_bf16(values[2 * pair + 1][2], values[2 * pair + 1][3]);
}

/* sums [own rows, HEAD] += a [own rows, 16] times 16 rows of the tile from `row` on. */
template <int HEAD, int M>
__device__ __forceinline__ void add_rows(float (&sums)[M][HEAD / 8][4], const uint32_t (&a)[M][4],
                                         const __nv_bfloat16 *tile, int row, int lane)
{
    uint32_t b[4];
#pragma unroll
    for (int step = 0; step < HEAD / 16; step++) {
        ldmatrix_x4_trans(b, square<HEAD>(tile, row, step, lane));
#pragma unroll
        for (int m = 0; m < M; m++) {
            mma_m16n8k16(sums[m][2 * step], a[m], b, sums[m][2 * step]);
            mma_m16n8k16(sums[m][2 * step + 1], a[m], b + 2, sums[m][2 * step + 1]);
        }
    }
}

/* The same for all 8 N columns of values, rounded, and the tile's 8 N rows. */
template <int HEAD, int M, int N>
__device__ __forceinline__ void add_product(float (&sums)[M][HEAD / 8][4], const float (&values)[M][N][4],
                                            const __nv_bfloat16 *tile, int lane)
{
#pragma unroll
    for (int pair = 0; pair < N / 2; pair++) {
        uint32_t a[M][4];
#pragma unroll
        for (int m = 0; m < M; m++)
            round_square(a[m], values[m], pair);
        add_rows<HEAD, M>(sums, a, tile, 16 * pair, lane);
    }
}

/* sums [own rows, HEAD] times a factor for each own row (factor[m][half]: row 16 m + 8 half + g), rounded, to
 * rows of global memory `stride` elements apart, those below `count`. The warp's own rows of `tile`, which
 * are no longer read, turn fragments into 16-byte vectors. */
template <int HEAD, int M>
__device__ __forceinline__ void store_rows(const float (&sums)[M][HEAD / 8][4], const float (&factor)[M][2],
                                           __nv_bfloat16 *tile, int own_row, __nv_bfloat16 *rows,
                                           int64_t stride, int first, int count, int lane)
{
    constexpr int VECTORS = HEAD / 8, AT_ONCE = 32 / VECTORS;
    __syncwarp();
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int row = own_row + 16 * m + 8 * half + lane / 4;
#pragma unroll
            for (int n = 0; n < VECTORS; n++)
                *reinterpret_cast<uint32_t *>(tile + swizzled_offset<HEAD>(row, n) + lane % 4 * 2) =
                    pack_bf16(sums[m][n][2 * half] * factor[m][half],
                              sums[m][n][2 * half + 1] * factor[m][half]);
        }
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 16 * M; i += AT_ONCE) {
        const int row = own_row + i + lane / VECTORS, vector = lane % VECTORS;
        if (first + row < count)
            *reinterpret_cast<uint4 *>(rows + (first + row) * stride + vector * 8) =
                *reinterpret_cast<const uint4 *>(tile + swizzled_offset<HEAD>(row, vector));
    }
}

#endif
