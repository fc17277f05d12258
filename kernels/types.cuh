/* What several kernels need: elements as float whatever they are stored as, 16 bytes at a time, sums and
 * maxima over a warp and a block in an order that never changes, and the dispatch from enum df_dtype to a
 * type. */
#ifndef DINOFT_TYPES_CUH
#define DINOFT_TYPES_CUH

#include "dinoft/dtype.h"
#include "launch.cuh"

#include <cstdint>

constexpr int warp_lanes = 32;
constexpr unsigned all_lanes = 0xffffffffu;

__host__ __device__ constexpr int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* --- one element --- */

__device__ __forceinline__ float load_float(const float *p)
{
    return *p;
}

__device__ __forceinline__ float load_float(const __nv_bfloat16 *p)
{
    return __bfloat162float(*p);
}

__device__ __forceinline__ void store_float(float *p, float value)
{
    *p = value;
}

__device__ __forceinline__ void store_float(__nv_bfloat16 *p, float value)
{
    *p = __float2bfloat16_rn(value);
}

/* What `value` is after being stored as a T. */
template <typename T> __device__ __forceinline__ float round_to(float value)
{
    T stored;
    store_float(&stored, value);
    return load_float(&stored);
}

/* --- 16 bytes, at an address that is a multiple of 16: 4 floats or 8 bfloat16 --- */

template <typename T> constexpr int vector_width = 16 / (int)sizeof(T);

__host__ __device__ __forceinline__ bool is_aligned_16(const void *p)
{
    return ((uintptr_t)p & 15) == 0;
}

__device__ __forceinline__ void load_vector(const float *p, float (&values)[4])
{
    const float4 v = *reinterpret_cast<const float4 *>(p);
    values[0] = v.x;
    values[1] = v.y;
    values[2] = v.z;
    values[3] = v.w;
}

__device__ __forceinline__ void store_vector(float *p, const float (&values)[4])
{
    *reinterpret_cast<float4 *>(p) = make_float4(values[0], values[1], values[2], values[3]);
}

/* The two bfloat16 of a word; the first lies in the lower half. */
__device__ __forceinline__ void unpack_bf16(uint32_t word, float &first, float &second)
{
    first = __uint_as_float(word << 16);
    second = __uint_as_float(word & 0xffff0000u);
}

__device__ __forceinline__ uint32_t pack_bf16(float first, float second)
{
    return (uint32_t)__bfloat16_as_ushort(__float2bfloat16_rn(first)) |
           (uint32_t)__bfloat16_as_ushort(__float2bfloat16_rn(second)) << 16;
}

__device__ __forceinline__ void load_vector(const __nv_bfloat16 *p, float (&values)[8])
{
    const uint4 v = *reinterpret_cast<const uint4 *>(p);
    unpack_bf16(v.x, values[0], values[1]);
    unpack_bf16(v.y, values[2], values[3]);
    unpack_bf16(v.z, values[4], values[5]);
    unpack_bf16(v.w, values[6], values[7]);
}

__device__ __forceinline__ void store_vector(__nv_bfloat16 *p, const float (&values)[8])
{
    *reinterpret_cast<uint4 *>(p) =
        make_uint4(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]),
                   pack_bf16(values[4], values[5]), pack_bf16(values[6], values[7]));
}

/* --- a warp: every lane takes part and receives the result --- */

template <typename T> __device__ __forceinline__ T warp_sum(T value)
{
    for (int distance = warp_lanes / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(all_lanes, value, distance);
    return value;
}

template <typename T> __device__ __forceinline__ T warp_max(T value)
{
    for (int distance = warp_lanes / 2; distance > 0; distance /= 2)
        value = max(value, __shfl_xor_sync(all_lanes, value, distance));
    return value;
}

/* --- a block of whole warps along x: every thread takes part and receives the result. May be called again at
 * once: the second barrier keeps a fast warp from the next call's partial results. --- */

template <typename T> __device__ __forceinline__ T block_sum(T value)
{
    DF_SHARED(T, partial, [warp_lanes]);
    const int warp = threadIdx.x / warp_lanes, lane = threadIdx.x % warp_lanes,
              warps = blockDim.x / warp_lanes;

    value = warp_sum(value);
    if (lane == 0)
        partial[warp] = value;
    __syncthreads();
    value = warp_sum(lane < warps ? partial[lane] : T(0));
    __syncthreads();
    return value;
}

template <typename T> __device__ __forceinline__ T block_max(T value)
{
    DF_SHARED(T, partial, [warp_lanes]);
    const int warp = threadIdx.x / warp_lanes, lane = threadIdx.x % warp_lanes,
              warps = blockDim.x / warp_lanes;

    value = warp_max(value);
    if (lane == 0)
        partial[warp] = value;
    __syncthreads();
    value = warp_max(partial[lane < warps ? lane : 0]);
    __syncthreads();
    return value;
}

/* --- host: calls f with a value of the type that `type` names, float32 or bfloat16:
 *   return dispatch(type, [&](auto element) { using T = decltype(element); DF_LAUNCH(…<T>, …); … }); --- */

template <typename F> inline cudaError_t dispatch(enum df_dtype type, F f)
{
    switch (type) {
    case DF_F32:
        return f(float());
    case DF_BF16:
        return f(__nv_bfloat16());
    default:
        return cudaErrorInvalidValue;
    }
}

#endif
