/* A colour's 8 bits to what a model is given: (value / 255 - mean) / std, the same bits as these operations
 * of IEEE arithmetic, in six instructions instead of two long divisions. */
#ifndef DINOFT_NORMALIZE_CUH
#define DINOFT_NORMALIZE_CUH

#include "launch.cuh"

struct normalization {
    float mean[3], std[3], reciprocal[3]; /* 1 / std */
};

inline struct normalization make_normalization(const float mean[3], const float std[3])
{
    struct normalization n;
    for (int c = 0; c < 3; c++) {
        n.mean[c] = mean[c];
        n.std[c] = std[c];
        n.reciprocal[c] = 1.0f / std[c];
    }
    return n;
}

/* The rounded quotient, from the divisor's rounded reciprocal: one step with the exact remainder repairs what
 * the product lost (P. Markstein, IBM J. Res. Dev. 34 (1990): right for a faithful product and a correctly
 * rounded reciprocal). */
__device__ __forceinline__ float divide(float dividend, float divisor, float reciprocal)
{
    const float quotient = dividend * reciprocal;
    return fmaf(fmaf(-quotient, divisor, dividend), reciprocal, quotient);
}

__device__ __forceinline__ float normalize(unsigned value, int channel, const struct normalization &n)
{
    const float colour = divide((float)value, 255.0f, 1.0f / 255.0f);
    return divide(colour - n.mean[channel], n.std[channel], n.reciprocal[channel]);
}

#endif
