/* What the files with AVX-512 intrinsics for bfloat16 share. Private to src/backend/cpu; only for x86-64. */
#ifndef DINOFT_AVX512_BF16_H
#define DINOFT_AVX512_BF16_H

#include <immintrin.h>
#include <stdint.h>

#define DF_AVX512_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define DF_AVX512_INLINE DF_AVX512_TARGET static inline __attribute__((always_inline))
#define DF_AVX512_LANES  16 /* floats of a vector */

/* A mask of the first `count` lanes, which may be more than there are, or negative. (Plain C, so that
 * functions for fewer instructions may call it, too.) */
static inline __attribute__((always_inline)) __mmask16 df_avx512_first(int64_t count)
{
    return count >= DF_AVX512_LANES ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

/* For _mm512_permutexvar_epi16: of two halves of 16 numbers of 16 bits one pair after the other. */
DF_AVX512_INLINE __m512i df_avx512_interleave(void)
{
    static const uint16_t order[2 * DF_AVX512_LANES] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                        21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                        11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_loadu_si512(order);
}

DF_AVX512_INLINE __m512 df_avx512_widen(__m256i bits)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

#endif
