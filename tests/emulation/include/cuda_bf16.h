/* A stub of CUDA's header of this name. */
#ifndef EMULATED_CUDA_BF16_H
#define EMULATED_CUDA_BF16_H

#include "cuda_runtime.h"

#include <cstring>

struct __nv_bfloat16 {
    unsigned short __x;
};

struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 value)
{
    return value.__x;
}

inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits)
{
    return __nv_bfloat16{bits};
}

inline float __bfloat162float(__nv_bfloat16 value)
{
    return __uint_as_float((unsigned)value.__x << 16);
}

/* To nearest, ties to even; every NaN becomes the one that the device makes. */
inline __nv_bfloat16 __float2bfloat16_rn(float value)
{
    const unsigned bits = __float_as_uint(value);
    if (value != value)
        return __nv_bfloat16{0x7fff};
    return __nv_bfloat16{(unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

inline __nv_bfloat16 __float2bfloat16(float value)
{
    return __float2bfloat16_rn(value);
}

inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 low, __nv_bfloat16 high)
{
    return __nv_bfloat162{low, high};
}

inline __nv_bfloat162 __floats2bfloat162_rn(float low, float high)
{
    return __nv_bfloat162{__float2bfloat16_rn(low), __float2bfloat16_rn(high)};
}

inline __nv_bfloat162 __float22bfloat162_rn(float2 value)
{
    return __floats2bfloat162_rn(value.x, value.y);
}

inline float __low2float(__nv_bfloat162 value)
{
    return __bfloat162float(value.x);
}

inline float __high2float(__nv_bfloat162 value)
{
    return __bfloat162float(value.y);
}

inline float2 __bfloat1622float2(__nv_bfloat162 value)
{
    return make_float2(__low2float(value), __high2float(value));
}

#endif
