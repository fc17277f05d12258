/* The gradient of flash attention: dqkv [B, N, 3, heads, head size] from dout [B, N, D], with qkv, out and
 * lse of the forward pass. With the scores S = q k^T / sqrt(head size), the probabilities P = exp(S - lse)
 * are computed again:
 *
 *   delta = sum over the channels of dout * out, a number for each query
 *   dS = P * (dout v^T - delta),  dq = dS k,  dk = dS^T q,  dv = P^T dout      (dq, dk by / sqrt(head size))
 *
 * Two kernels, so that nothing is summed in an order that depends on timing, and no partial sums go through
 * memory. Both have a grid of (blocks of rows, heads, images).
 *
 *   gradient of queries: a block has 128 queries (float32: 64) and works through the keys.
 *     Products S, dout v^T, dq. It also leaves each query's lse and delta in scratch.
 *   gradient of keys: a block has 128 keys (float32: 64) and works through the queries.
 *     Products S^T, v dout^T, dv, dk; where dk is not needed only S^T and dv.
 *
 * That is 7 products of 2 N^2 head size operations a head, 5 without dk. One kernel over keys that adds to dq
 * would need 5 (4), but for ViT-L at 490 x 490, batch 12, the partial sums of dq of its ten blocks of keys
 * are 600 MB to have, to write and to read. By an H100's data sheet that takes longer than the products that
 * it saves: 1.2 GB at 3.3 TB/s, 74 GFLOP at 990 TFLOP/s, of which half would do.
 *
 *   bfloat16       threads  own rows/warp  shared memory
 *   queries   64   128      32             49 KB: q dout 32, k v 2 x 8, numbers 1
 *   queries  128   256      16             97 KB: q dout 64, k v 2 x 16, numbers 1
 *   keys      64   128      32             48.5 KB: k v 32, q dout 2 x 8, numbers 0.5
 *   keys     128   256      16             96.5 KB: k v 64, q dout 2 x 16, numbers 0.5
 *
 * Eight warps an SM, in two blocks or one, which is what registers allow; the 100 KB of shared memory that an
 * SM of capability 8.6, 8.9 or 12.0 has are enough for that. Tiles are of 32 of the other rows; the next one
 * is copied (cp.async) while the present one is worked on. Tiles of 64 rows with head size 64 would leave
 * such an SM one block of four warps, and save nothing but every other barrier. With head size 128, 32 own
 * queries a warp would read a sixth less of shared memory, but leave four warps where an SM has less than 196
 * KB.
 *
 * float32: 256 threads, tiles of 32 rows (head size 64) or 16 (128), 60 KB and 87 KB. Tiles of 32 rows would
 * take 108 KB with head size 128, more than the 99 KB of a block of these capabilities.
 *
 * Bound by arithmetic: tensor core products in bfloat16, and an exponential for every 6 head size (queries)
 * or 8 head size (keys) operations. A block's operands move once, the others' rows once for each block, from
 * the L2 cache. */
#include "attention_bf16.cuh"
#include "attention_f32.cuh"
#include "kernels.h"

#include <math.h>

namespace
{

/* What the gradient of keys needs of a query: lse in powers of two, delta. In scratch [B, heads, N made
 * even], so that a head's start at a multiple of 16 bytes; zeros for the query that is not there. */
using row_numbers = float2;

__host__ __device__ constexpr int64_t number_stride(int64_t tokens)
{
    return (tokens + 1) / 2 * 2;
}

__device__ __forceinline__ int64_t numbers_of(const attention_head &head)
{
    return ((int64_t)blockIdx.z * gridDim.y + blockIdx.y) * number_stride(head.tokens);
}

template <int HEAD> using bf16_backward = bf16_block<HEAD, 32>;

/* --- bfloat16: gradient of queries --- */

/* lse and delta of the block's queries, to shared memory and to scratch. */
template <int HEAD>
__device__ __forceinline__ void number_rows(const attention_head &head, int first, const __nv_bfloat16 *out,
                                            const float *lse, const __nv_bfloat16 *dout_tile,
                                            row_numbers *numbers, row_numbers *scratch)
{
    using shape = bf16_backward<HEAD>;
    constexpr int VECTORS = HEAD / 8, AT_ONCE = shape::THREADS / VECTORS;
    const int vector = (int)threadIdx.x % VECTORS;
#pragma unroll
    for (int i = 0; i < shape::OWN; i += AT_ONCE) {
        const int row = i + (int)threadIdx.x / VECTORS;
        const bool present = first + row < head.tokens;
        float delta = 0.0f;
        if (present) {
            float a[8], b[8];
            load_vector(out + head.out + (first + row) * head.dim + 8 * vector, a);
            load_vector(dout_tile + swizzled_offset<HEAD>(row, vector), b);
#pragma unroll
            for (int j = 0; j < 8; j++)
                delta = fmaf(a[j], b[j], delta);
        }
#pragma unroll
        for (int way = VECTORS / 2; way > 0; way /= 2)
            delta += __shfl_xor_sync(all_lanes, delta, way);
        if (vector == 0) {
            const row_numbers both =
                make_float2(present ? lse[head.row + first + row] * log2_e : 0.0f, delta);
            numbers[row] = both;
            if (first + row < number_stride(head.tokens))
                scratch[first + row] = both;
        }
    }
}

/* Scores of own queries to dS (without the scale): gradients [M][N][4] of the probabilities become that. */
template <int M, int N>
__device__ __forceinline__ void query_scores_gradient(const float (&scores)[M][N][4],
                                                      float (&gradients)[M][N][4],
                                                      const row_numbers (&numbers)[M][2], float scale)
{
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const row_numbers row = numbers[m][i / 2];
                const float probability = fast_exp2(fmaf(scores[m][n][i], scale, -row.x));
                gradients[m][n][i] = probability * (gradients[m][n][i] - row.y);
            }
        }
    }
}

/* scale: 1 / sqrt(HEAD), here and below. */
template <int HEAD>
__global__ void __launch_bounds__(bf16_backward<HEAD>::THREADS, bf16_backward<HEAD>::BLOCKS)
    gradient_of_queries_bf16(const __nv_bfloat16 *qkv, const __nv_bfloat16 *out, const float *lse,
                             const __nv_bfloat16 *dout, __nv_bfloat16 *dqkv, row_numbers *scratch, int tokens,
                             float scale)
{
    using shape = bf16_backward<HEAD>;
    constexpr int M = shape::M, N = shape::N;
    DF_DYNAMIC_SHARED(__nv_bfloat16, query_tile);
    __nv_bfloat16 *const dout_tile = query_tile + shape::OWN_TILE;
    __nv_bfloat16 *const stages = dout_tile + shape::OWN_TILE;
    row_numbers *const all_numbers = reinterpret_cast<row_numbers *>(stages + 2 * shape::STAGE);
    const attention_head head = block_head<HEAD>(tokens);
    const int first = (int)blockIdx.x * shape::OWN, lane = (int)threadIdx.x % 32;
    const int own_row = (int)threadIdx.x / 32 * 16 * M, tiles = (tokens + shape::OTHER - 1) / shape::OTHER;
    const __nv_bfloat16 *const q = qkv + head.qkv, *const k = q + head.dim, *const v = k + head.dim;
    const auto fetch = [=](int tile) {
        __nv_bfloat16 *const stage = stages + tile % 2 * shape::STAGE;
        copy_tile<HEAD, shape::OTHER, shape::THREADS>(stage, k, head.qkv_row, tile * shape::OTHER, tokens);
        copy_tile<HEAD, shape::OTHER, shape::THREADS>(stage + shape::OTHER_TILE, v, head.qkv_row,
                                                      tile * shape::OTHER, tokens);
        cp_async_commit();
    };

    copy_tile<HEAD, shape::OWN, shape::THREADS>(query_tile, q, head.qkv_row, first, tokens);
    copy_tile<HEAD, shape::OWN, shape::THREADS>(dout_tile, dout + head.out, head.dim, first, tokens);
    fetch(0);
    cp_async_wait<0>();
    __syncthreads();
    number_rows<HEAD>(head, first, out, lse, dout_tile, all_numbers, scratch + numbers_of(head));
    __syncthreads();

    const own_rows<HEAD, M, true> queries(query_tile, own_row, lane), douts(dout_tile, own_row, lane);
    row_numbers numbers[M][2];
    float dq[M][HEAD / 8][4], factor[M][2];
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            numbers[m][half] = all_numbers[own_row + 16 * m + 8 * half + lane / 4];
            factor[m][half] = scale;
        }
    }
    clear(dq);
    for (int tile = 0; tile < tiles; tile++) {
        const __nv_bfloat16 *const keys = stages + tile % 2 * shape::STAGE;
        const __nv_bfloat16 *const values = keys + shape::OTHER_TILE;
        cp_async_wait<0>();
        __syncthreads();
        if (tile + 1 < tiles)
            fetch(tile + 1);
        if (first + own_row >= tokens)
            continue; /* a warp that has no queries only copies */
        float scores[M][N][4], gradients[M][N][4];
        multiply_rows(scores, queries, keys);
        mask_columns(scores, tokens - tile * shape::OTHER, lane);
        multiply_rows(gradients, douts, values);
        query_scores_gradient(scores, gradients, numbers, scale * log2_e);
        add_product<HEAD>(dq, gradients, keys, lane);
    }
    store_rows<HEAD, M>(dq, factor, query_tile, own_row, dqkv + head.qkv, head.qkv_row, first, tokens, lane);
}

/* --- bfloat16: gradient of keys --- */

/* Scores [own keys, queries] to probabilities. numbers: of the queries. Rows of zeros where there is no
 * query: probability 1, but its dout, delta and q are zeros. */
template <int M, int N>
__device__ __forceinline__ void key_probabilities(float (&scores)[M][N][4], const row_numbers *numbers,
                                                  float scale, int lane)
{
#pragma unroll
    for (int n = 0; n < N; n++) {
        const float4 pair = *reinterpret_cast<const float4 *>(numbers + 8 * n + lane % 4 * 2);
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int i = 0; i < 4; i++)
                scores[m][n][i] = fast_exp2(fmaf(scores[m][n][i], scale, i % 2 ? -pair.z : -pair.x));
        }
    }
}

template <int M, int N>
__device__ __forceinline__ void key_scores_gradient(const float (&probabilities)[M][N][4],
                                                    float (&gradients)[M][N][4], const row_numbers *numbers,
                                                    int lane)
{
#pragma unroll
    for (int n = 0; n < N; n++) {
        const float4 pair = *reinterpret_cast<const float4 *>(numbers + 8 * n + lane % 4 * 2);
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int i = 0; i < 4; i++)
                gradients[m][n][i] =
                    probabilities[m][n][i] * (gradients[m][n][i] - (i % 2 ? pair.w : pair.y));
        }
    }
}

template <int HEAD, bool NEED_DK>
__global__ void __launch_bounds__(bf16_backward<HEAD>::THREADS, bf16_backward<HEAD>::BLOCKS)
    gradient_of_keys_bf16(const __nv_bfloat16 *qkv, const __nv_bfloat16 *dout, __nv_bfloat16 *dqkv,
                          const row_numbers *scratch, int tokens, float scale)
{
    using shape = bf16_backward<HEAD>;
    constexpr int M = shape::M, N = shape::N;
    DF_DYNAMIC_SHARED(__nv_bfloat16, key_tile);
    __nv_bfloat16 *const value_tile = NEED_DK ? key_tile + shape::OWN_TILE : key_tile;
    __nv_bfloat16 *const stages = value_tile + shape::OWN_TILE;
    row_numbers *const all_numbers = reinterpret_cast<row_numbers *>(stages + 2 * shape::STAGE);
    const attention_head head = block_head<HEAD>(tokens);
    const int first = (int)blockIdx.x * shape::OWN, lane = (int)threadIdx.x % 32;
    const int own_row = (int)threadIdx.x / 32 * 16 * M;
    const int tiles = (tokens + shape::OTHER - 1) / shape::OTHER;
    const __nv_bfloat16 *const q = qkv + head.qkv, *const k = q + head.dim, *const v = k + head.dim;
    const row_numbers *const numbers_in_scratch = scratch + numbers_of(head);
    const auto fetch = [=](int tile) {
        __nv_bfloat16 *const stage = stages + tile % 2 * shape::STAGE;
        const int query = tile * shape::OTHER, row = (int)threadIdx.x * 2;
        copy_tile<HEAD, shape::OTHER, shape::THREADS>(stage, q, head.qkv_row, query, tokens);
        copy_tile<HEAD, shape::OTHER, shape::THREADS>(stage + shape::OTHER_TILE, dout + head.out, head.dim,
                                                      query, tokens);
        if (row < shape::OTHER)
            cp_async_16(all_numbers + tile % 2 * shape::OTHER + row,
                        numbers_in_scratch + (query + row < tokens ? query + row : 0), query + row < tokens);
        cp_async_commit();
    };

    copy_tile<HEAD, shape::OWN, shape::THREADS>(key_tile, k, head.qkv_row, first, tokens);
    if (NEED_DK)
        copy_tile<HEAD, shape::OWN, shape::THREADS>(value_tile, v, head.qkv_row, first, tokens);
    fetch(0);
    cp_async_wait<0>();
    __syncthreads();

    const own_rows<HEAD, M, false> keys(key_tile, own_row, lane), values(value_tile, own_row, lane);
    float dk[M][HEAD / 8][4], dv[M][HEAD / 8][4], scales[M][2], ones[M][2];
    clear(dk);
    clear(dv);
#pragma unroll
    for (int m = 0; m < M; m++) {
        scales[m][0] = scales[m][1] = scale;
        ones[m][0] = ones[m][1] = 1.0f;
    }
    for (int tile = 0; tile < tiles; tile++) {
        const __nv_bfloat16 *const queries = stages + tile % 2 * shape::STAGE;
        const __nv_bfloat16 *const douts = queries + shape::OTHER_TILE;
        cp_async_wait<0>();
        __syncthreads();
        if (tile + 1 < tiles)
            fetch(tile + 1);
        if (first + own_row >= tokens)
            continue; /* a warp that has no keys only copies */
        const row_numbers *const numbers = all_numbers + tile % 2 * shape::OTHER;
        float scores[M][N][4], gradients[M][N][4];
        multiply_rows(scores, keys, queries);
        key_probabilities(scores, numbers, scale * log2_e, lane);
        add_product<HEAD>(dv, scores, douts, lane);
        if (NEED_DK) {
            multiply_rows(gradients, values, douts);
            key_scores_gradient(scores, gradients, numbers, lane);
            add_product<HEAD>(dk, gradients, queries, lane);
        }
    }
    if (NEED_DK)
        store_rows<HEAD, M>(dk, scales, value_tile, own_row, dqkv + head.qkv + head.dim, head.qkv_row, first,
                            tokens, lane);
    store_rows<HEAD, M>(dv, ones, key_tile, own_row, dqkv + head.qkv + 2 * head.dim, head.qkv_row, first,
                        tokens, lane);
}

/* --- float32 --- */

template <int HEAD> struct f32_backward {
    static constexpr int OTHER = HEAD == 64 ? 32 : 16;
    static constexpr int OWN_TILE = f32_tile<HEAD>(f32_own), OTHER_TILE = f32_tile<HEAD>(OTHER);
    static constexpr size_t SHARED = sizeof(float) * (2 * OWN_TILE + 2 * OTHER_TILE + f32_weights<OTHER>);
};

/* lse (as a power of two) and delta of the thread's four queries, known to all 16 lanes that have them, and
 * in scratch. */
template <int HEAD>
__device__ __forceinline__ void f32_number_rows(const attention_head &head, int first, const float *out,
                                                const float *lse, const float *dout_tile,
                                                row_numbers (&numbers)[4], row_numbers *scratch)
{
    const int x = (int)threadIdx.x % 16;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int own = (int)threadIdx.x / 16 * 4 + i, row = first + own;
        const bool present = row < head.tokens;
        float delta = 0.0f;
#pragma unroll
        for (int c = 0; present && c < HEAD / 64; c++) {
            const float4 a = f32_read(out + head.out + row * head.dim + 64 * c + 4 * x);
            const float4 b = f32_read(dout_tile + own * (HEAD + 4) + 64 * c + 4 * x);
            delta = fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, fmaf(a.w, b.w, delta))));
        }
        numbers[i] = make_float2(present ? lse[head.row + row] * log2_e : 0.0f, f32_row_sum(delta));
        if (present && x == 0)
            scratch[row] = numbers[i];
    }
}

template <int HEAD>
__global__ void __launch_bounds__(f32_threads, 2)
    gradient_of_queries_f32(const float *qkv, const float *out, const float *lse, const float *dout,
                            float *dqkv, row_numbers *scratch, int tokens, float scale)
{
    using shape = f32_backward<HEAD>;
    constexpr int OTHER = shape::OTHER, J = OTHER / 16;
    DF_DYNAMIC_SHARED(float, query_tile);
    float *const dout_tile = query_tile + shape::OWN_TILE, *const keys = dout_tile + shape::OWN_TILE;
    float *const values = keys + shape::OTHER_TILE, *const weights = values + shape::OTHER_TILE;
    const attention_head head = block_head<HEAD>(tokens);
    const int first = (int)blockIdx.x * f32_own, x = (int)threadIdx.x % 16;
    const float *const q = qkv + head.qkv, *const k = q + head.dim, *const v = k + head.dim;
    const float factor[4] = {scale, scale, scale, scale};
    float dq[4][HEAD / 16] = {};
    row_numbers numbers[4];

    f32_copy_tile<HEAD, f32_own>(query_tile, q, head.qkv_row, first, tokens);
    f32_copy_tile<HEAD, f32_own>(dout_tile, dout + head.out, head.dim, first, tokens);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    f32_number_rows<HEAD>(head, first, out, lse, dout_tile, numbers, scratch + numbers_of(head));
    for (int key = 0; key < tokens; key += OTHER) {
        float scores[4][J], gradients[4][J];
        f32_copy_tile<HEAD, OTHER>(keys, k, head.qkv_row, key, tokens);
        f32_copy_tile<HEAD, OTHER>(values, v, head.qkv_row, key, tokens);
        cp_async_commit();
        cp_async_wait<0>();
        __syncthreads();
        f32_multiply_rows<HEAD>(scores, query_tile, keys);
        f32_multiply_rows<HEAD>(gradients, dout_tile, values);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < J; j++) {
                const float probability = exp2f(fmaf(scores[i][j], scale * log2_e, -numbers[i].x));
                gradients[i][j] =
                    x + 16 * j < tokens - key ? probability * (gradients[i][j] - numbers[i].y) : 0.0f;
            }
        }
        f32_put_weights(weights, gradients);
        f32_add_product<HEAD, OTHER>(dq, weights, keys);
        __syncthreads();
    }
    f32_store_rows<HEAD>(dq, factor, dqkv + head.qkv, head.qkv_row, first, tokens);
}

template <int HEAD, bool NEED_DK>
__global__ void __launch_bounds__(f32_threads, 2)
    gradient_of_keys_f32(const float *qkv, const float *dout, float *dqkv, const row_numbers *scratch,
                         int tokens, float scale)
{
    using shape = f32_backward<HEAD>;
    constexpr int OTHER = shape::OTHER, J = OTHER / 16;
    DF_DYNAMIC_SHARED(float, key_tile);
    float *const value_tile = key_tile + shape::OWN_TILE, *const queries = value_tile + shape::OWN_TILE;
    float *const douts = queries + shape::OTHER_TILE, *const weights = douts + shape::OTHER_TILE;
    const attention_head head = block_head<HEAD>(tokens);
    const int first = (int)blockIdx.x * f32_own, x = (int)threadIdx.x % 16;
    const float *const q = qkv + head.qkv, *const k = q + head.dim, *const v = k + head.dim;
    const float scales[4] = {scale, scale, scale, scale}, ones[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    float dk[4][HEAD / 16] = {}, dv[4][HEAD / 16] = {};

    f32_copy_tile<HEAD, f32_own>(key_tile, k, head.qkv_row, first, tokens);
    if (NEED_DK)
        f32_copy_tile<HEAD, f32_own>(value_tile, v, head.qkv_row, first, tokens);
    for (int query = 0; query < tokens; query += OTHER) {
        float scores[4][J], gradients[4][J];
        row_numbers numbers[J];
        f32_copy_tile<HEAD, OTHER>(queries, q, head.qkv_row, query, tokens);
        f32_copy_tile<HEAD, OTHER>(douts, dout + head.out, head.dim, query, tokens);
        cp_async_commit();
#pragma unroll
        for (int j = 0; j < J; j++) {
            const int row = query + x + 16 * j;
            numbers[j] = row < tokens ? scratch[numbers_of(head) + row] : make_float2(0.0f, 0.0f);
        }
        cp_async_wait<0>();
        __syncthreads();
        f32_multiply_rows<HEAD>(scores, key_tile, queries);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < J; j++)
                scores[i][j] = exp2f(fmaf(scores[i][j], scale * log2_e, -numbers[j].x));
        }
        f32_put_weights(weights, scores);
        f32_add_product<HEAD, OTHER>(dv, weights, douts);
        if (NEED_DK) {
            f32_multiply_rows<HEAD>(gradients, value_tile, douts);
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < J; j++)
                    gradients[i][j] = scores[i][j] * (gradients[i][j] - numbers[j].y);
            }
            f32_put_weights(weights, gradients);
            f32_add_product<HEAD, OTHER>(dk, weights, queries);
        }
        __syncthreads();
    }
    if (NEED_DK)
        f32_store_rows<HEAD>(dk, scales, dqkv + head.qkv + head.dim, head.qkv_row, first, tokens);
    f32_store_rows<HEAD>(dv, ones, dqkv + head.qkv + 2 * head.dim, head.qkv_row, first, tokens);
}

/* --- launch --- */

template <typename T> struct operands {
    const T *qkv, *out;
    const float *lse;
    const T *dout;
    T *dqkv;
    row_numbers *scratch;
    df_attention_shape shape;
    float scale;
};

template <typename T> dim3 grid_of(const operands<T> &o, int rows)
{
    return dim3((unsigned)((o.shape.tokens + rows - 1) / rows), (unsigned)o.shape.heads,
                (unsigned)o.shape.batch);
}

template <typename Kernel> cudaError_t allow_shared(Kernel *kernel, size_t bytes)
{
    return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
}

template <typename T>
using queries_kernel = void (*)(const T *, const T *, const float *, const T *, T *, row_numbers *, int,
                                float);
template <typename T>
using keys_kernel = void (*)(const T *, const T *, T *, const row_numbers *, int, float);

template <typename T>
cudaError_t launch_queries(cudaStream_t stream, queries_kernel<T> gradient_of_queries, int rows, int threads,
                           size_t shared, const operands<T> &o)
{
    const cudaError_t error = allow_shared(gradient_of_queries, shared);
    if (error != cudaSuccess)
        return error;
    DF_LAUNCH(gradient_of_queries, grid_of(o, rows), threads, shared, stream, o.qkv, o.out, o.lse, o.dout,
              o.dqkv, o.scratch, (int)o.shape.tokens, o.scale);
    return cudaGetLastError();
}

template <typename T>
cudaError_t launch_keys(cudaStream_t stream, keys_kernel<T> gradient_of_keys, int rows, int threads,
                        size_t shared, const operands<T> &o)
{
    const cudaError_t error = allow_shared(gradient_of_keys, shared);
    if (error != cudaSuccess)
        return error;
    DF_LAUNCH(gradient_of_keys, grid_of(o, rows), threads, shared, stream, o.qkv, o.dout, o.dqkv, o.scratch,
              (int)o.shape.tokens, o.scale);
    return cudaGetLastError();
}

template <int HEAD, bool NEED_DK> cudaError_t run(cudaStream_t stream, const operands<__nv_bfloat16> &o)
{
    using shape = bf16_backward<HEAD>;
    constexpr size_t of_queries = shape::shared(2, shape::OWN * sizeof(row_numbers));
    constexpr size_t of_keys = shape::shared(NEED_DK ? 2 : 1, 2 * shape::OTHER * sizeof(row_numbers));
    static_assert(shape::fits(of_queries) && shape::fits(of_keys), "eight warps an SM");
    const cudaError_t error = launch_queries<__nv_bfloat16>(stream, gradient_of_queries_bf16<HEAD>,
                                                            shape::OWN, shape::THREADS, of_queries, o);
    return error != cudaSuccess ? error
                                : launch_keys<__nv_bfloat16>(stream, gradient_of_keys_bf16<HEAD, NEED_DK>,
                                                             shape::OWN, shape::THREADS, of_keys, o);
}

template <int HEAD, bool NEED_DK> cudaError_t run(cudaStream_t stream, const operands<float> &o)
{
    constexpr size_t shared = f32_backward<HEAD>::SHARED;
    static_assert(shared <= least_block_shared, "more than a block may have");
    const cudaError_t error =
        launch_queries<float>(stream, gradient_of_queries_f32<HEAD>, f32_own, f32_threads, shared, o);
    return error != cudaSuccess ? error
                                : launch_keys<float>(stream, gradient_of_keys_f32<HEAD, NEED_DK>, f32_own,
                                                     f32_threads, shared, o);
}

template <typename T>
cudaError_t backward(cudaStream_t stream, df_attention_shape shape, const void *qkv, const void *out,
                     const float *lse, const void *dout, void *dqkv, bool need_dk, void *scratch)
{
    const operands<T> o = {static_cast<const T *>(qkv),
                           static_cast<const T *>(out),
                           lse,
                           static_cast<const T *>(dout),
                           static_cast<T *>(dqkv),
                           static_cast<row_numbers *>(scratch),
                           shape,
                           1.0f / sqrtf((float)shape.head_size)};
    if (shape.head_size == 64)
        return need_dk ? run<64, true>(stream, o) : run<64, false>(stream, o);
    return need_dk ? run<128, true>(stream, o) : run<128, false>(stream, o);
}

} // namespace

size_t df_launch_attention_backward_scratch(df_attention_shape shape, df_dtype)
{
    return (size_t)(shape.batch * shape.heads * number_stride(shape.tokens)) * sizeof(row_numbers);
}

cudaError_t df_launch_attention_backward(cudaStream_t stream, df_attention_shape shape, df_dtype type,
                                         const void *qkv, const void *out, const float *lse, const void *dout,
                                         void *dqkv, bool need_dk, void *scratch)
{
    return type == DF_BF16
               ? backward<__nv_bfloat16>(stream, shape, qkv, out, lse, dout, dqkv, need_dk, scratch)
               : backward<float>(stream, shape, qkv, out, lse, dout, dqkv, need_dk, scratch);
}
