#include "gelu_bf16.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "avx512_bf16.h"
#include "vector_math.h"

/* df_odd_polynomial on a vector. */
DF_AVX512_INLINE __m512 odd_polynomial(const struct df_odd_polynomial *f, __m512 x)
{
    const __m512 limit = _mm512_set1_ps(f->limit), minus_limit = _mm512_set1_ps(-f->limit);
    /* With the constants first, so that a NaN in x comes through. */
    const __m512 clamped = _mm512_min_ps(limit, _mm512_max_ps(minus_limit, x));
    const __m512 t = _mm512_fmsub_ps(_mm512_mul_ps(clamped, clamped), _mm512_set1_ps(f->square_factor),
                                     _mm512_set1_ps(1.0f));
    __m512 p = _mm512_set1_ps(f->coefficients[0]);

#pragma GCC unroll 10
    for (int i = 1; i <= f->degree; i++)
        p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(f->coefficients[i]));
    const __mmask16 inside = _mm512_cmp_ps_mask(x, minus_limit, _CMP_NLT_UQ);
    return _mm512_maskz_fmadd_ps(inside, clamped, p, _mm512_set1_ps(0.5f));
}

DF_AVX512_INLINE __m512 gelu(__m512 x)
{
    return _mm512_mul_ps(x, odd_polynomial(&df_rough_cdf, x));
}

DF_AVX512_INLINE __m512 gelu_gradient(__m512 x, __m512 dy)
{
    return _mm512_mul_ps(dy, odd_polynomial(&df_rough_gelu_slope, x));
}

DF_AVX512_INLINE __m512 load(const uint16_t *x)
{
    return df_avx512_widen(_mm256_loadu_si256((const __m256i *)(const void *)x));
}

DF_AVX512_INLINE __m512 load_masked(__mmask16 mask, const uint16_t *x)
{
    return df_avx512_widen(_mm256_maskz_loadu_epi16(mask, x));
}

DF_AVX512_TARGET void df_gelu_bf16_avx512(const uint16_t *x, uint16_t *y, int64_t count)
{
    int64_t i = 0;

    for (; i + 2 * DF_AVX512_LANES <= count; i += 2 * DF_AVX512_LANES) {
        const __m512 even = gelu(load(x + i)), odd = gelu(load(x + i + DF_AVX512_LANES));
        _mm512_storeu_si512(y + i, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
    }
    for (; i < count; i += DF_AVX512_LANES) {
        const __mmask16 mask = df_avx512_first(count - i);
        _mm256_mask_storeu_epi16(y + i, mask, (__m256i)_mm512_cvtneps_pbh(gelu(load_masked(mask, x + i))));
    }
}

DF_AVX512_TARGET void df_gelu_gradient_bf16_avx512(const uint16_t *x, const uint16_t *dy, uint16_t *dx,
                                                   int64_t count)
{
    int64_t i = 0;

    for (; i + 2 * DF_AVX512_LANES <= count; i += 2 * DF_AVX512_LANES) {
        const __m512 even = gelu_gradient(load(x + i), load(dy + i));
        const __m512 odd = gelu_gradient(load(x + i + DF_AVX512_LANES), load(dy + i + DF_AVX512_LANES));
        _mm512_storeu_si512(dx + i, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
    }
    for (; i < count; i += DF_AVX512_LANES) {
        const __mmask16 mask = df_avx512_first(count - i);
        const __m512 d = gelu_gradient(load_masked(mask, x + i), load_masked(mask, dy + i));
        _mm256_mask_storeu_epi16(dx + i, mask, (__m256i)_mm512_cvtneps_pbh(d));
    }
}

#else

#include <assert.h>

void df_gelu_bf16_avx512(const uint16_t *x, uint16_t *y, int64_t count)
{
    (void)x, (void)y, (void)count;
    assert(!"df_bf16_isa_best() never says AVX-512 here");
}

void df_gelu_gradient_bf16_avx512(const uint16_t *x, const uint16_t *dy, uint16_t *dx, int64_t count)
{
    (void)x, (void)dy, (void)dx, (void)count;
    assert(!"df_bf16_isa_best() never says AVX-512 here");
}

#endif
