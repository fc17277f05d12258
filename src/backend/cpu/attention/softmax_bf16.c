#include "softmax_bf16.h"

#include "../bf16.h"

#include "dinoft/size.h"

#include <math.h>
#include <string.h>

DF_INLINE uint32_t round_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits + 0x7fffu + (bits >> 16 & 1u);
}

/* bf16 of even below bf16 of odd: a pair as VDPBF16PS reads it. Without df_bf16_narrow's care for every NaN:
 * those that arithmetic makes stay NaN here, too. */
DF_INLINE uint32_t narrow_pair(float even, float odd)
{
    return round_bits(even) >> 16 | (round_bits(odd) & 0xffff0000u);
}

/* 2^x for x <= 0, relative error below 3e-6 (the Taylor polynomial of 2^r, |r| <= 1/2): far below what bf16
 * keeps of it. Below 2^-126 the result is that. NaN stays NaN. */
DF_INLINE float exp2_nonpositive(float x)
{
    const float to_integer = 12582912.0f; /* 1.5 * 2^23: adding it leaves the rounded value in the low bits */
    const float clamped = x < -126.0f ? -126.0f : x;
    const float shifted = clamped + to_integer;
    const float r = clamped - (shifted - to_integer);
    float p = 1.33335581e-3f;
    p = p * r + 9.61812911e-3f;
    p = p * r + 5.55041087e-2f;
    p = p * r + 2.40226507e-1f;
    p = p * r + 6.93147181e-1f;
    p = p * r + 1.0f;

    uint32_t exponent, bits;
    memcpy(&exponent, &shifted, sizeof exponent);
    memcpy(&bits, &p, sizeof bits);
    bits += exponent << 23;
    memcpy(&p, &bits, sizeof p);
    return p;
}

/* A NaN is skipped: the sum of the exponentials shows it. */
DF_INLINE float largest_of(const float *x, int64_t count, float largest)
{
#pragma omp simd reduction(max : largest)
    for (int64_t j = 0; j < count; j++)
        largest = x[j] > largest ? x[j] : largest;
    return largest;
}

DF_MULTIVERSION
float df_softmax_bf16(float *scores, int64_t count, float scale, void *destination,
                      struct df_softmax_row *row)
{
    const float scale2 = scale * DF_LOG2_E, before = row->largest;
    const float largest = largest_of(scores, count, before);
    uint16_t *probabilities = destination;
    float sum = 0.0f, rounded_sum = 0.0f;

#pragma omp simd reduction(+ : sum, rounded_sum)
    for (int64_t j = 0; j < count; j++) {
        const float e = exp2_nonpositive(scale2 * (scores[j] - largest));
        const uint16_t rounded = (uint16_t)(round_bits(e) >> 16);
        probabilities[j] = rounded;
        sum += e;
        rounded_sum += df_bf16_widen(rounded);
    }
    memset(probabilities + count, 0, (size_t)(df_padded_rows(count) - count) * sizeof *probabilities);
    row->largest = largest;
    return df_softmax_add(row, before, scale, sum, rounded_sum);
}

/* `width` columns of a panel, from `column` on. */
DF_INLINE void backward_columns(const struct df_softmax_pair *pair, int64_t column, int64_t width)
{
    const float *s0 = pair->scores[0] + column, *s1 = pair->scores[1] + column;
    const float *g0 = pair->gradients[0] + column, *g1 = pair->gradients[1] + column;
    uint32_t *probabilities = (uint32_t *)pair->probabilities + column / DF_PANEL * pair->panel / 2;
    uint32_t *packed_scores = (uint32_t *)pair->packed_scores + column / DF_PANEL * pair->panel / 2;
    uint16_t *row0 = (uint16_t *)pair->score_rows[0] + column;
    uint16_t *row1 = (uint16_t *)pair->score_rows[1] + column;
    const float scale = pair->scale, scale2 = scale * DF_LOG2_E, second = pair->absent ? 0.0f : 1.0f;
    const float lse0 = pair->log_sum[0] * DF_LOG2_E, lse1 = pair->log_sum[1] * DF_LOG2_E;

#pragma omp simd
    for (int64_t j = 0; j < width; j++) {
        const float p0 = exp2_nonpositive(scale2 * s0[j] - lse0);
        const float p1 = exp2_nonpositive(scale2 * s1[j] - lse1) * second;
        const float d0 = p0 * (g0[j] - pair->delta[0]) * scale, d1 = p1 * (g1[j] - pair->delta[1]) * scale;
        const uint32_t both = narrow_pair(d0, d1);
        probabilities[j] = narrow_pair(p0, p1);
        packed_scores[j] = both;
        row0[j] = (uint16_t)both;
        row1[j] = (uint16_t)(both >> 16);
    }
    for (int64_t j = width; j < DF_PANEL; j++) {
        probabilities[j] = packed_scores[j] = 0;
        row0[j] = row1[j] = 0;
    }
}

DF_MULTIVERSION
void df_softmax_backward_bf16(const struct df_softmax_pair *pair)
{
    for (int64_t column = 0; column < pair->count; column += DF_PANEL)
        backward_columns(pair, column, df_min_i64(DF_PANEL, pair->count - column));
}
