/* Where the operands of one head lie. The grid of every attention kernel is (blocks of rows, heads, images).
 */
#ifndef DINOFT_ATTENTION_HEAD_CUH
#define DINOFT_ATTENTION_HEAD_CUH

#include "types.cuh"

constexpr float log2_e = 1.4426950408889634f, ln_2 = 0.6931471805599453f;

/* Shared memory where there is least of it, capabilities 8.6, 8.9 and 12.0: an SM's, of which each block
 * takes a KB more than it asks for, and a block's. */
constexpr size_t least_sm_shared = 100 * 1024, taken_by_block = 1024, least_block_shared = 99 * 1024;

struct attention_head {
    int tokens;
    int64_t dim;     /* from k to q's place in the same token, from v to k's, and from row to row of out */
    int64_t qkv_row; /* from row to row of q, k and v */
    int64_t qkv;     /* element of qkv where q starts */
    int64_t out;     /* element of out (dout) where it starts */
    int64_t row;     /* its first row among all images and heads: lse [B, heads, N] */
};

template <int HEAD> __device__ __forceinline__ attention_head block_head(int tokens)
{
    const int64_t heads = gridDim.y, dim = heads * HEAD, first_token = (int64_t)blockIdx.z * tokens;
    attention_head head;
    head.tokens = tokens;
    head.dim = dim;
    head.qkv_row = 3 * dim;
    head.qkv = first_token * 3 * dim + (int64_t)blockIdx.y * HEAD;
    head.out = first_token * dim + (int64_t)blockIdx.y * HEAD;
    head.row = ((int64_t)blockIdx.z * heads + blockIdx.y) * tokens;
    return head;
}

#endif
