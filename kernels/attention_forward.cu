/* Flash attention: out [B, N, D] = softmax(q k^T / sqrt(head size)) v from qkv [B, N, 3, heads, head size],
 * and the logarithm of each row's sum of exponentials, lse [B, heads, N] float32, for the backward pass. The
 * scores [N, N] stay in registers.
 *
 * A block has a head's queries, 128 (bfloat16) or 64 (float32), and works through its keys tile by tile:
 * scores, their exponentials relative to a maximum that follows the rows' largest scores, their products with
 * v. Grid: (blocks of queries, heads, images), so that the blocks that read the same keys run together.
 *
 *              threads  own rows/warp  keys/tile  shared memory
 *   bf16  64   128      32             64         48 KB: q 16, k v 2 x 16
 *   bf16 128   256      16             64         96 KB: q 32, k v 2 x 32
 *   f32   64   256      8              32         43 KB: q 17, k v 17, weights 9
 *   f32  128   256      8              32         75 KB: q 33, k v 33, weights 9
 *
 * In bfloat16 eight warps an SM, in two blocks or one, which is what registers allow; 100 KB of shared memory
 * an SM are enough for them (capabilities 8.6, 8.9, 12.0). In float32 two blocks, where shared memory allows
 * it.
 *
 * In bfloat16, keys and values of the next tile are copied (cp.async) while the present tile is worked on.
 *
 * Bound by arithmetic: 4 N^2 head size operations a head on N head size elements read thrice and written
 * once; q and out move once, k and v once for each block of queries, from the L2 cache: for 128
 * queries 4 * 128 / 4 = 128 operations a byte. In bfloat16 these are tensor core products, and an exponential
 * for every 4 head size of them.
 *
 * Probabilities are rounded to bfloat16 for the product with v, so they are divided by the sum of the rounded
 * ones: where all scores of a row are alike, all of them are rounded the same way, and the sum of the
 * unrounded ones would leave a bias. That sum is a product with a column of ones, which the tensor cores do
 * along with v's. lse is of the unrounded ones. */
#include "attention_bf16.cuh"
#include "attention_f32.cuh"
#include "kernels.h"

#include <math.h>

namespace
{

/* The maximum that exponentials are relative to moves only when a row's largest score has outgrown it by this
 * power of two: float32 sums have the range, and most tiles need no scaling down of what was summed. */
constexpr float slack = 8.0f;

template <int HEAD> struct bf16_forward : bf16_block<HEAD, 64> {
    using bf16_block<HEAD, 64>::M;

    /* What a thread knows of its rows 16 m + 8 half + lane / 4. */
    struct rows {
        float out[M][HEAD / 8][4];
        float rounded[M][1][4]; /* sums of the rounded exponentials, every column the same */
        float sum[M][2];        /* of the unrounded ones, of this lane's columns */
        float largest[M][2];    /* scores times scale, as powers of two */
    };
};

/* Largest of row `half` of the scores over the four lanes that share it. NaN is skipped: sums show it. */
template <int N> __device__ __forceinline__ float largest_score(const float (&scores)[N][4], int half)
{
    float largest = -INFINITY;
#pragma unroll
    for (int n = 0; n < N; n++)
        largest = fmaxf(largest, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
    largest = fmaxf(largest, __shfl_xor_sync(all_lanes, largest, 1));
    return fmaxf(largest, __shfl_xor_sync(all_lanes, largest, 2));
}

/* Moves the maxima where scores have outgrown them, and scales down what was summed before. */
template <int HEAD, int M, int N>
__device__ __forceinline__ void follow_largest(typename bf16_forward<HEAD>::rows &rows,
                                               const float (&scores)[M][N][4], float scale)
{
    float factor[M][2];
    bool moved = false;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float before = rows.largest[m][half], now = largest_score(scores[m], half) * scale;
            const bool outgrown = now > before + slack;
            factor[m][half] = outgrown ? fast_exp2(before - now) : 1.0f;
            rows.largest[m][half] = outgrown ? now : before;
            moved = moved || outgrown;
        }
    }
    if (!__any_sync(all_lanes, moved))
        return;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < HEAD / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++)
                rows.out[m][n][i] *= factor[m][i / 2];
        }
#pragma unroll
        for (int i = 0; i < 4; i++)
            rows.rounded[m][0][i] *= factor[m][i / 2];
        rows.sum[m][0] *= factor[m][0];
        rows.sum[m][1] *= factor[m][1];
    }
}

template <int HEAD, int M, int N>
__device__ __forceinline__ void exponentiate(typename bf16_forward<HEAD>::rows &rows,
                                             float (&scores)[M][N][4], float scale)
{
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                scores[m][n][i] = fast_exp2(fmaf(scores[m][n][i], scale, -rows.largest[m][i / 2]));
                rows.sum[m][i / 2] += scores[m][n][i];
            }
        }
    }
}

/* out += probabilities v, and the sums of the rounded probabilities. */
template <int HEAD, int M, int N>
__device__ __forceinline__ void add_values(typename bf16_forward<HEAD>::rows &rows,
                                           const float (&exponentials)[M][N][4], const __nv_bfloat16 *values,
                                           int lane)
{
    const uint32_t ones[2] = {0x3f803f80u, 0x3f803f80u};
#pragma unroll
    for (int pair = 0; pair < N / 2; pair++) {
        uint32_t a[M][4];
#pragma unroll
        for (int m = 0; m < M; m++) {
            round_square(a[m], exponentials[m], pair);
            mma_m16n8k16(rows.rounded[m][0], a[m], ones, rows.rounded[m][0]);
        }
        add_rows<HEAD, M>(rows.out, a, values, 16 * pair, lane);
    }
}

template <int HEAD>
__device__ __forceinline__ void bf16_finish(const typename bf16_forward<HEAD>::rows &rows,
                                            __nv_bfloat16 *query_tile, const attention_head &head, int first,
                                            __nv_bfloat16 *out, float *lse)
{
    using shape = bf16_forward<HEAD>;
    const int lane = (int)threadIdx.x % 32, own_row = (int)threadIdx.x / 32 * 16 * shape::M;
    float factor[shape::M][2];
#pragma unroll
    for (int m = 0; m < shape::M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int row = first + own_row + 16 * m + 8 * half + lane / 4;
            float sum = rows.sum[m][half];
            sum += __shfl_xor_sync(all_lanes, sum, 1);
            sum += __shfl_xor_sync(all_lanes, sum, 2);
            factor[m][half] = 1.0f / rows.rounded[m][0][2 * half];
            if (lse && lane % 4 == 0 && row < head.tokens)
                lse[head.row + row] = rows.largest[m][half] * ln_2 + logf(sum);
        }
    }
    store_rows<HEAD, shape::M>(rows.out, factor, query_tile, own_row, out + head.out, head.dim, first,
                               head.tokens, lane);
}

/* scale: 1 / sqrt(HEAD) times log2(e), here and below. */
template <int HEAD>
__global__ void __launch_bounds__(bf16_forward<HEAD>::THREADS, bf16_forward<HEAD>::BLOCKS)
    forward_bf16(const __nv_bfloat16 *qkv, __nv_bfloat16 *out, float *lse, int tokens, float scale)
{
    using shape = bf16_forward<HEAD>;
    constexpr int M = shape::M, N = shape::N;
    DF_DYNAMIC_SHARED(__nv_bfloat16, query_tile);
    __nv_bfloat16 *const stages = query_tile + shape::OWN_TILE;
    const attention_head head = block_head<HEAD>(tokens);
    const int first = (int)blockIdx.x * shape::OWN, lane = (int)threadIdx.x % 32;
    const int tiles = (tokens + shape::OTHER - 1) / shape::OTHER;
    const __nv_bfloat16 *const q = qkv + head.qkv, *const k = q + head.dim, *const v = k + head.dim;
    const auto fetch = [=](int tile) {
        __nv_bfloat16 *const stage = stages + tile % 2 * shape::STAGE;
        copy_tile<HEAD, shape::OTHER, shape::THREADS>(stage, k, head.qkv_row, tile * shape::OTHER, tokens);
        copy_tile<HEAD, shape::OTHER, shape::THREADS>(stage + shape::OTHER_TILE, v, head.qkv_row,
                                                      tile * shape::OTHER, tokens);
        cp_async_commit();
    };

    copy_tile<HEAD, shape::OWN, shape::THREADS>(query_tile, q, head.qkv_row, first, tokens);
    fetch(0);
    cp_async_wait<0>();
    __syncthreads();

    const own_rows<HEAD, M, true> queries(query_tile, (int)threadIdx.x / 32 * 16 * M, lane);
    typename shape::rows rows;
    clear(rows.out);
    clear(rows.rounded);
#pragma unroll
    for (int m = 0; m < M; m++) {
        rows.sum[m][0] = rows.sum[m][1] = 0.0f;
        rows.largest[m][0] = rows.largest[m][1] = -INFINITY;
    }
    for (int tile = 0; tile < tiles; tile++) {
        const __nv_bfloat16 *const stage = stages + tile % 2 * shape::STAGE;
        float scores[M][N][4];
        /* All threads have this tile, and are done with the one that the next one overwrites. */
        cp_async_wait<0>();
        __syncthreads();
        if (tile + 1 < tiles)
            fetch(tile + 1);
        if (first + queries.row >= tokens)
            continue; /* a warp that has no queries only copies */
        multiply_rows(scores, queries, stage);
        mask_columns(scores, tokens - tile * shape::OTHER, lane);
        follow_largest<HEAD>(rows, scores, scale);
        exponentiate<HEAD>(rows, scores, scale);
        add_values<HEAD>(rows, scores, stage + shape::OTHER_TILE, lane);
    }
    bf16_finish<HEAD>(rows, query_tile, head, first, out, lse);
}

template <int HEAD> struct f32_forward {
    static constexpr int KEYS = 32, QUERY_TILE = f32_tile<HEAD>(f32_own), KEY_TILE = f32_tile<HEAD>(KEYS);
    static constexpr size_t SHARED = sizeof(float) * (QUERY_TILE + 2 * KEY_TILE + f32_weights<KEYS>);
};

/* Scores to exponentials; largest (of the scores) and sum (of this lane's exponentials) of each row and out
 * keep up. */
template <int HEAD>
__device__ __forceinline__ void f32_softmax(float (&scores)[4][2], float (&largest)[4], float (&sum)[4],
                                            float (&out)[4][HEAD / 16], int keys, float scale)
{
    const int x = (int)threadIdx.x % 16;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        scores[i][0] = x < keys ? scores[i][0] : -INFINITY;
        scores[i][1] = x + 16 < keys ? scores[i][1] : -INFINITY;
        const float before = largest[i], now = fmaxf(before, f32_row_max(fmaxf(scores[i][0], scores[i][1])));
        const float factor = now > before ? exp2f((before - now) * scale) : 1.0f;
        largest[i] = now;
        scores[i][0] = exp2f((scores[i][0] - now) * scale);
        scores[i][1] = exp2f((scores[i][1] - now) * scale);
        sum[i] = sum[i] * factor + (scores[i][0] + scores[i][1]);
#pragma unroll
        for (int c = 0; c < HEAD / 16; c++)
            out[i][c] *= factor;
    }
}

template <int HEAD>
__global__ void __launch_bounds__(f32_threads, 2)
    forward_f32(const float *qkv, float *out, float *lse, int tokens, float scale)
{
    using shape = f32_forward<HEAD>;
    DF_DYNAMIC_SHARED(float, query_tile);
    float *const keys = query_tile + shape::QUERY_TILE, *const values = keys + shape::KEY_TILE;
    float *const weights = values + shape::KEY_TILE;
    const attention_head head = block_head<HEAD>(tokens);
    const int first = (int)blockIdx.x * f32_own;
    const float *const q = qkv + head.qkv, *const k = q + head.dim, *const v = k + head.dim;
    float sums[4][HEAD / 16] = {}, sum[4] = {}, largest[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY},
                         factor[4];

    f32_copy_tile<HEAD, f32_own>(query_tile, q, head.qkv_row, first, tokens);
    for (int key = 0; key < tokens; key += shape::KEYS) {
        float scores[4][2];
        f32_copy_tile<HEAD, shape::KEYS>(keys, k, head.qkv_row, key, tokens);
        f32_copy_tile<HEAD, shape::KEYS>(values, v, head.qkv_row, key, tokens);
        cp_async_commit();
        cp_async_wait<0>();
        __syncthreads();
        f32_multiply_rows<HEAD>(scores, query_tile, keys);
        f32_softmax<HEAD>(scores, largest, sum, sums, tokens - key, scale);
        f32_put_weights(weights, scores);
        f32_add_product<HEAD, shape::KEYS>(sums, weights, values);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int row = first + (int)threadIdx.x / 16 * 4 + i;
        const float total = f32_row_sum(sum[i]);
        factor[i] = 1.0f / total;
        if (lse && threadIdx.x % 16 == 0 && row < tokens)
            lse[head.row + row] = largest[i] * scale * ln_2 + logf(total);
    }
    f32_store_rows<HEAD>(sums, factor, out + head.out, head.dim, first, tokens);
}

template <typename T>
cudaError_t launch(cudaStream_t stream, void (*attention_forward)(const T *, T *, float *, int, float),
                   int queries, int threads, size_t shared, df_attention_shape shape, const void *qkv,
                   void *out, float *lse)
{
    const int tokens = (int)shape.tokens;
    const dim3 grid((unsigned)((tokens + queries - 1) / queries), (unsigned)shape.heads,
                    (unsigned)shape.batch);
    const float scale = log2_e / sqrtf((float)shape.head_size);
    const T *const in = static_cast<const T *>(qkv);
    T *const result = static_cast<T *>(out);
    const cudaError_t error =
        cudaFuncSetAttribute(attention_forward, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared);

    if (error != cudaSuccess)
        return error;
    DF_LAUNCH(attention_forward, grid, threads, shared, stream, in, result, lse, tokens, scale);
    return cudaGetLastError();
}

template <int HEAD>
cudaError_t forward(cudaStream_t stream, df_attention_shape shape, df_dtype type, const void *qkv, void *out,
                    float *lse)
{
    using bf16 = bf16_forward<HEAD>;
    using f32 = f32_forward<HEAD>;
    constexpr size_t bf16_shared = bf16::shared(1, 0);
    static_assert(bf16::fits(bf16_shared) && f32::SHARED <= least_block_shared, "shared memory");
    return type == DF_BF16 ? launch<__nv_bfloat16>(stream, forward_bf16<HEAD>, bf16::OWN, bf16::THREADS,
                                                   bf16_shared, shape, qkv, out, lse)
                           : launch<float>(stream, forward_f32<HEAD>, f32_own, f32_threads, f32::SHARED,
                                           shape, qkv, out, lse);
}

} // namespace

cudaError_t df_launch_attention_forward(cudaStream_t stream, df_attention_shape shape, df_dtype type,
                                        const void *qkv, void *out, float *lse)
{
    return shape.head_size == 64 ? forward<64>(stream, shape, type, qkv, out, lse)
                                 : forward<128>(stream, shape, type, qkv, out, lse);
}
