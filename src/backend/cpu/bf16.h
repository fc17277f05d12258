/* bfloat16 as the upper half of a float32, element by element. Private to src/backend/cpu. */
#ifndef DINOFT_BF16_H
#define DINOFT_BF16_H

#include "vector_math.h"

DF_INLINE float df_bf16_widen(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* To nearest, ties to even; a NaN stays one (rounding could make it infinity). */
DF_INLINE uint16_t df_bf16_narrow(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u), quiet = bits | 0x400000u;
    return (uint16_t)((value == value ? rounded : quiet) >> 16);
}

#endif
