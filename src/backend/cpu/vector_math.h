/* Elementary functions without branches or calls, so that the compiler vectorises the loops they stand in.
 *
 * The approximations were fitted for this file (iteratively reweighted least squares in double precision
 * towards equal ripples, nodes dense at the ends of the interval); tests/backend/test_activation.c holds the
 * errors below. */
#ifndef DINOFT_VECTOR_MATH_H
#define DINOFT_VECTOR_MATH_H

#include "dinoft/multiversion.h"

#include <stdint.h>
#include <string.h>

/* e^x with a relative error below 1.5e-7. 0 below -87.33 (where e^x leaves the normal numbers), 2.4e38
 * above 88.37; NaN stays NaN. */
DF_INLINE float df_expf_fast(float x)
{
    const float low = -87.33654f, high = 88.37626f;
    const float to_integer = 12582912.0f; /* 1.5 * 2^23: adding it leaves the rounded value in the low bits */
    const float log2_e = 1.44269504f, ln2_head = 0.693145752f, ln2_tail = 1.42860677e-6f;
    float clamped = x < low ? low : x;
    clamped = clamped > high ? high : clamped;
    const float shifted = clamped * log2_e + to_integer;
    const float n = shifted - to_integer;
    const float r = (clamped - n * ln2_head) - n * ln2_tail;

    float q = 0.0013814599f;
    q = q * r + 0.008368717f;
    q = q * r + 0.04166839f;
    q = q * r + 0.16666521f;
    q = q * r + 0.49999994f;
    const float fraction = 1.0f + (r + (r * r) * q);

    uint32_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + 127u) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof(scale));
    return x < low ? 0.0f : fraction * scale;
}

/* The normal distribution's cumulative function, (1 + erf(x / sqrt 2)) / 2, and its density's exponential
 * e^(-x^2 / 2) for those who need both: absolute error below 2.1e-7, relative below 1e-5 even where the value
 * is small, since the tail is never a difference: for x <= 0 it is e^(-x^2 / 2) u P(u) with u = 1 / (1 + 0.3
 * |x|). NaN stays NaN. */
DF_INLINE float df_normal_cdf_fast(float x, float *exponential)
{
    const float a = x < 0.0f ? -x : x;
    const float e = df_expf_fast(-0.5f * a * a);
    const float u = 1.0f / (1.0f + 0.3f * a);
    float p = 0.0357091742f;
    p = p * u - 0.156734189f;
    p = p * u + 0.204341676f;
    p = p * u - 0.0505797311f;
    p = p * u + 0.126186055f;
    p = p * u + 0.100870378f;
    p = p * u + 0.120562574f;
    p = p * u + 0.119644075f;
    const float tail = e * (u * p);
    *exponential = e;
    return x < 0.0f ? tail : 1.0f - tail;
}

/* A function of x as an odd function plus a half: 1/2 + c P(c^2 / (limit^2 / 2) - 1), c being x limited to
 * [-limit, limit], with P's coefficients from the highest power down. */
struct df_odd_polynomial {
    float limit, square_factor; /* 2 / limit^2: the polynomial's argument is in [-1, 1] */
    int degree;
    float coefficients[10];
};

/* The normal distribution's cumulative function to an absolute error below 1.4e-5, for results that are
 * rounded to bfloat16: no exponential, no division. */
static const struct df_odd_polynomial df_rough_cdf = {
    4.2f,
    0.113378685f,
    8,
    {0.00219664653f, -0.00581759214f, 0.00810460839f, -0.0136753609f, 0.025004968f, -0.0389556326f,
     0.055814445f, -0.0814820379f, 0.167856142f},
};

/* The derivative of x * cdf(x), to an absolute error below 7e-5. */
static const struct df_odd_polynomial df_rough_gelu_slope = {
    4.5f,
    0.0987654321f,
    9,
    {-0.0247234944f, 0.0559670962f, -0.0454833582f, 0.0477326177f, -0.0877582654f, 0.105038993f,
     -0.0953676328f, 0.0861859247f, -0.0899230018f, 0.159445763f},
};

/* Exactly 0 below -limit; NaN stays NaN. */
DF_INLINE float df_odd_polynomial(const struct df_odd_polynomial *f, float x)
{
    float clamped = x < -f->limit ? -f->limit : x;
    clamped = clamped > f->limit ? f->limit : clamped;
    const float t = clamped * clamped * f->square_factor - 1.0f;
    float p = f->coefficients[0];
#pragma GCC unroll 10
    for (int i = 1; i <= f->degree; i++)
        p = p * t + f->coefficients[i];
    return x < -f->limit ? 0.0f : 0.5f + clamped * p;
}

/* 1 / (1 + e^-x). */
DF_INLINE float df_sigmoid_fast(float x)
{
    return 1.0f / (1.0f + df_expf_fast(-x));
}

#endif
