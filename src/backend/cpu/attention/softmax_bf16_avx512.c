/* The softmax of attention with AVX-512 and its conversions to bfloat16. Compilers make half vectors of the
 * plain loops and convert in six instructions. */
#include "softmax_bf16.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "../avx512_bf16.h"

#include "dinoft/size.h"

#include <math.h>

/* 2^x, relative error below 3e-6 (a polynomial of 2^f, 0 <= f < 1, fitted as those of vector_math.h): x is
 * split by rounding down, as VSCALEFPS does, too. NaN stays NaN. */
DF_AVX512_INLINE __m512 exp2_of(__m512 x)
{
    const __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 p = _mm512_set1_ps(0.013534168f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.052011464f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.24144275f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.69300383f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0000026f));
    return _mm512_scalef_ps(p, x);
}

/* max(x, largest) gives its second argument when the first is NaN: the sum of the exponentials shows it. */
DF_AVX512_INLINE float largest_of(const float *x, int64_t count, float before)
{
    __m512 lanes[4];
    int64_t j = 0;

    for (int v = 0; v < 4; v++)
        lanes[v] = _mm512_set1_ps(before);
    for (; j + 4 * DF_AVX512_LANES <= count; j += 4 * DF_AVX512_LANES) {
        for (int v = 0; v < 4; v++)
            lanes[v] = _mm512_max_ps(_mm512_loadu_ps(x + j + v * DF_AVX512_LANES), lanes[v]);
    }
    for (; j < count; j += DF_AVX512_LANES) {
        const __mmask16 mask = df_avx512_first(count - j);
        lanes[0] = _mm512_mask_max_ps(lanes[0], mask, _mm512_maskz_loadu_ps(mask, x + j), lanes[0]);
    }
    lanes[0] = _mm512_max_ps(_mm512_max_ps(lanes[0], lanes[1]), _mm512_max_ps(lanes[2], lanes[3]));
    return _mm512_reduce_max_ps(lanes[0]);
}

DF_AVX512_TARGET float df_softmax_bf16_avx512(float *scores, int64_t count, float scale, void *destination,
                                              struct df_softmax_row *row)
{
    const float before = row->largest, largest = largest_of(scores, count, before);
    uint16_t *probabilities = destination;
    const __m512 factor = _mm512_set1_ps(scale * DF_LOG2_E);
    const __m512 shift = _mm512_set1_ps(-largest * (scale * DF_LOG2_E));
    const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
    __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()}, rounded_sum = _mm512_setzero_ps();
    int64_t j = 0;

    for (; j + 2 * DF_AVX512_LANES <= count; j += 2 * DF_AVX512_LANES) {
        const __m512 even = exp2_of(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j), factor, shift));
        const __m512 odd =
            exp2_of(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j + DF_AVX512_LANES), factor, shift));
        const __m512bh rounded = _mm512_cvtne2ps_pbh(odd, even);
        sums[0] = _mm512_add_ps(sums[0], even);
        sums[1] = _mm512_add_ps(sums[1], odd);
        rounded_sum = _mm512_dpbf16_ps(rounded_sum, rounded, ones);
        _mm512_storeu_si512(probabilities + j, (__m512i)rounded);
    }
    for (; j < df_padded_rows(count); j += DF_AVX512_LANES) {
        const __mmask16 mask = df_avx512_first(count - j);
        const __m512 x = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, scores + j), factor, shift);
        const __m512 e = _mm512_maskz_mov_ps(mask, exp2_of(x));
        const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(e);
        sums[0] = _mm512_add_ps(sums[0], e);
        rounded_sum = _mm512_add_ps(rounded_sum, df_avx512_widen(rounded));
        _mm256_storeu_si256((__m256i *)(void *)(probabilities + j), rounded);
    }
    row->largest = largest;
    return df_softmax_add(row, before, scale, _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1])),
                          _mm512_reduce_add_ps(rounded_sum));
}

/* What is the same for all columns of a pair of rows. */
struct constants {
    __m512 factor, scale, minus_lse[2], minus_delta[2]; /* scaled like what they are added to */
    __m512i interleave;
};

/* 16 columns, of which those of the mask exist. */
DF_AVX512_INLINE void backward_vector(const struct df_softmax_pair *pair, const struct constants *constants,
                                      const __mmask16 masks[2], int64_t column, int64_t packed)
{
    __m512 p[2], d[2];

    for (int r = 0; r < 2; r++) {
        const __m512 score = _mm512_maskz_loadu_ps(masks[r], pair->scores[r] + column);
        const __m512 gradient = _mm512_maskz_loadu_ps(masks[r], pair->gradients[r] + column);
        const __m512 e = exp2_of(_mm512_fmadd_ps(score, constants->factor, constants->minus_lse[r]));
        p[r] = _mm512_maskz_mov_ps(masks[r], e);
        d[r] = _mm512_maskz_mul_ps(masks[r], p[r],
                                   _mm512_fmadd_ps(gradient, constants->scale, constants->minus_delta[r]));
    }
    const __m512i probabilities = (__m512i)_mm512_cvtne2ps_pbh(p[1], p[0]);
    const __m512i gradients = (__m512i)_mm512_cvtne2ps_pbh(d[1], d[0]);
    _mm512_storeu_si512((uint16_t *)pair->probabilities + packed,
                        _mm512_permutexvar_epi16(constants->interleave, probabilities));
    _mm512_storeu_si512((uint16_t *)pair->packed_scores + packed,
                        _mm512_permutexvar_epi16(constants->interleave, gradients));
    _mm256_storeu_si256((__m256i *)(void *)((uint16_t *)pair->score_rows[0] + column),
                        _mm512_castsi512_si256(gradients));
    _mm256_storeu_si256((__m256i *)(void *)((uint16_t *)pair->score_rows[1] + column),
                        _mm512_extracti64x4_epi64(gradients, 1));
}

DF_AVX512_TARGET static struct constants constants_of(const struct df_softmax_pair *pair)
{
    struct constants constants = {
        .factor = _mm512_set1_ps(pair->scale * DF_LOG2_E),
        .scale = _mm512_set1_ps(pair->scale),
        .interleave = df_avx512_interleave(),
    };

    for (int r = 0; r < 2; r++) {
        constants.minus_lse[r] = _mm512_set1_ps(-pair->log_sum[r] * DF_LOG2_E);
        constants.minus_delta[r] = _mm512_set1_ps(-pair->delta[r] * pair->scale);
    }
    return constants;
}

DF_AVX512_TARGET void df_softmax_backward_bf16_avx512(const struct df_softmax_pair *pair)
{
    const struct constants constants = constants_of(pair);

    for (int64_t column = 0; column < df_panel_columns(pair->count); column += DF_AVX512_LANES) {
        const __mmask16 mask = df_avx512_first(pair->count - column);
        const __mmask16 masks[2] = {mask, pair->absent ? 0 : mask};
        backward_vector(pair, &constants, masks, column,
                        column / DF_PANEL * pair->panel + column % DF_PANEL * 2);
    }
}

#else

float df_softmax_bf16_avx512(float *scores, int64_t count, float scale, void *probabilities,
                             struct df_softmax_row *row)
{
    return df_softmax_bf16(scores, count, scale, probabilities, row);
}

void df_softmax_backward_bf16_avx512(const struct df_softmax_pair *pair)
{
    df_softmax_backward_bf16(pair);
}

#endif
