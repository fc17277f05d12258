/* Which elements dropout keeps: 24 bits of SplitMix64 for each, against the probability in as many. */
#ifndef DINOFT_DROPOUT_BITS_H
#define DINOFT_DROPOUT_BITS_H

#include <stdint.h>

#ifdef __CUDACC__
#define DF_DROPOUT_INLINE __host__ __device__ static inline
#else
#define DF_DROPOUT_INLINE static inline
#endif

/* Of a row: what its elements' columns are added to. */
DF_DROPOUT_INLINE uint64_t df_dropout_row(uint64_t key, uint64_t stream, uint64_t row, uint64_t cols)
{
    return key + stream * 0xd1b54a32d192ed03u + row * cols * 0x9e3779b97f4a7c15u;
}

DF_DROPOUT_INLINE uint32_t df_dropout_bits(uint64_t row, uint64_t column)
{
    uint64_t z = row + (column + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 40);
}

/* An element is dropped where its bits are below this. */
static inline uint32_t df_dropout_bound(double probability)
{
    return (uint32_t)(probability * 0x1p24);
}

#endif
