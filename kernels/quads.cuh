/* Four neighbouring elements at a time: 16 bytes of float32, 8 of bfloat16, at an address that is a multiple
 * of that. For kernels whose operands are of both types and are to be cut in the same places. */
#ifndef DINOFT_QUADS_CUH
#define DINOFT_QUADS_CUH

#include "types.cuh"

__device__ __forceinline__ void load_four(const float *p, float (&values)[4])
{
    load_vector(p, values);
}

__device__ __forceinline__ void load_four(const __nv_bfloat16 *p, float (&values)[4])
{
    const uint2 v = *reinterpret_cast<const uint2 *>(p);
    unpack_bf16(v.x, values[0], values[1]);
    unpack_bf16(v.y, values[2], values[3]);
}

__device__ __forceinline__ void store_four(float *p, const float (&values)[4])
{
    store_vector(p, values);
}

__device__ __forceinline__ void store_four(__nv_bfloat16 *p, const float (&values)[4])
{
    *reinterpret_cast<uint2 *>(p) =
        make_uint2(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]));
}

#endif
