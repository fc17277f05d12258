/* Rotary position embedding of q and k of the patch tokens, in place: qkv [B, N, 3, heads, head size],
 * float32 tables sin, cos [P, head size]. Channels i and i + half of a head turn together, each with its own
 * row of the tables:
 *
 *   out[i]        = x[i] * cos[i]               - x[i + half] * sin[i]
 *   out[i + half] = x[i + half] * cos[i + half] + x[i] * sin[i + half]
 *
 * The inverse is the transpose of that map, the gradient.
 *
 * A warp has a token: its lanes are 16-byte vectors of half a head times heads, of which there are 2 * heads
 * side by side (q and k). A lane keeps its vector of the tables in registers and goes from head to head.
 * Blocks of 8 warps, grid (tokens / 8). A warp's access is whole halves of heads, 64 bytes at the least
 * (bfloat16, head size 64), both halves one behind the other.
 *
 * Bound by memory: reads and writes two thirds of qkv once; the tables are read once for an image and then
 * come from the L2 cache. */
#include "kernels.h"
#include "types.cuh"

namespace
{

constexpr int warps = 8;

template <int COUNT> __device__ __forceinline__ void load_table(float (&values)[COUNT], const float *table)
{
#pragma unroll
    for (int i = 0; i < COUNT; i += 4) {
        float four[4];
        load_vector(table + i, four);
#pragma unroll
        for (int j = 0; j < 4; j++)
            values[i + j] = four[j];
    }
}

/* patch_tokens: of all images. */
template <typename T, int HEAD>
__global__ void __launch_bounds__(32 * warps)
    rotate(T *qkv, const float *sin, const float *cos, int64_t patch_tokens, int tokens, int prefix,
           int heads, bool inverse)
{
    constexpr int COUNT = vector_width<T>, HALF = HEAD / 2, PIECES = HALF / COUNT,
                  HEADS_AT_ONCE = 32 / PIECES;
    const int lane = (int)threadIdx.x % 32, at = lane % PIECES * COUNT;
    const int64_t item = (int64_t)blockIdx.x * warps + threadIdx.x / 32;
    if (item >= patch_tokens)
        return;

    const int64_t image = item / (tokens - prefix), patch = item % (tokens - prefix);
    const int64_t table = patch * HEAD + at;
    T *const token = qkv + (image * tokens + prefix + patch) * 3 * heads * HEAD + at;
    float low_cos[COUNT], high_cos[COUNT], low_sin[COUNT], high_sin[COUNT];
    load_table(low_cos, cos + table);
    load_table(high_cos, cos + table + HALF);
    load_table(low_sin, sin + table + (inverse ? HALF : 0));
    load_table(high_sin, sin + table + (inverse ? 0 : HALF));
    const float sign = inverse ? -1.0f : 1.0f;
    for (int head = lane / PIECES; head < 2 * heads; head += HEADS_AT_ONCE) {
        float low[COUNT], high[COUNT], out[COUNT];
        load_vector(token + head * HEAD, low);
        load_vector(token + head * HEAD + HALF, high);
#pragma unroll
        for (int i = 0; i < COUNT; i++)
            out[i] = low[i] * low_cos[i] - high[i] * (sign * low_sin[i]);
        store_vector(token + head * HEAD, out);
#pragma unroll
        for (int i = 0; i < COUNT; i++)
            out[i] = high[i] * high_cos[i] + low[i] * (sign * high_sin[i]);
        store_vector(token + head * HEAD + HALF, out);
    }
}

template <typename T, int HEAD>
cudaError_t run(cudaStream_t stream, void *qkv, df_attention_shape shape, int64_t prefix, const float *sin,
                const float *cos, bool inverse)
{
    const int64_t patch_tokens = shape.batch * (shape.tokens - prefix);
    const auto rope = rotate<T, HEAD>;
    const dim3 grid((unsigned)((patch_tokens + warps - 1) / warps));

    if (patch_tokens > 0)
        DF_LAUNCH(rope, grid, 32 * warps, 0, stream, static_cast<T *>(qkv), sin, cos, patch_tokens,
                  (int)shape.tokens, (int)prefix, (int)shape.heads, inverse);
    return cudaGetLastError();
}

} // namespace

cudaError_t df_launch_rope(cudaStream_t stream, void *qkv, df_dtype type, df_attention_shape shape,
                           int64_t prefix_tokens, const float *sin, const float *cos, bool inverse)
{
    if (type == DF_BF16)
        return shape.head_size == 64
                   ? run<__nv_bfloat16, 64>(stream, qkv, shape, prefix_tokens, sin, cos, inverse)
                   : run<__nv_bfloat16, 128>(stream, qkv, shape, prefix_tokens, sin, cos, inverse);
    return shape.head_size == 64 ? run<float, 64>(stream, qkv, shape, prefix_tokens, sin, cos, inverse)
                                 : run<float, 128>(stream, qkv, shape, prefix_tokens, sin, cos, inverse);
}
