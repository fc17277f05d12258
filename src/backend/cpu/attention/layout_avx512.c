#include "layout_avx512.h"

#ifdef DF_LAYOUT_AVX512

#include "../avx512_bf16.h"
#include "gemm_bf16.h"

#include "dinoft/size.h"

#include <string.h>

#define SIDE DF_AVX512_LANES

#define F32_TARGET __attribute__((target("avx512f")))
#define F32_INLINE F32_TARGET static inline __attribute__((always_inline))

/* A square of 16 x 16 numbers of 32 bits, of which `rows` x `cols` are read, the others being zeros;
 * square[j] becomes column j. */
F32_INLINE void load_transposed(const void *source, int64_t rows, int64_t cols, int64_t ld, __m512i *square)
{
    const __mmask16 mask = df_avx512_first(cols);
    __m512i t[SIDE];

#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i++)
        square[i] = _mm512_maskz_loadu_epi32(i < rows ? mask : 0, (const int32_t *)source + i * ld);
#pragma GCC unroll 8
    for (int i = 0; i < SIDE; i += 2) {
        t[i] = _mm512_unpacklo_epi32(square[i], square[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(square[i], square[i + 1]);
    }
    /* square[4 i + j]: of each four columns the j-th, in rows 4 i to 4 i + 3. */
#pragma GCC unroll 4
    for (int i = 0; i < SIDE; i += 4) {
        square[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        square[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        square[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        square[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const __m512i upper_even = _mm512_shuffle_i32x4(square[j], square[4 + j], 0x88);
        const __m512i lower_even = _mm512_shuffle_i32x4(square[8 + j], square[12 + j], 0x88);
        const __m512i upper_odd = _mm512_shuffle_i32x4(square[j], square[4 + j], 0xdd);
        const __m512i lower_odd = _mm512_shuffle_i32x4(square[8 + j], square[12 + j], 0xdd);
        t[j] = _mm512_shuffle_i32x4(upper_even, lower_even, 0x88);
        t[4 + j] = _mm512_shuffle_i32x4(upper_odd, lower_odd, 0x88);
        t[8 + j] = _mm512_shuffle_i32x4(upper_even, lower_even, 0xdd);
        t[12 + j] = _mm512_shuffle_i32x4(upper_odd, lower_odd, 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i++)
        square[i] = t[i];
}

F32_TARGET void df_transpose_f32_avx512(const void *source, int64_t rows, int64_t cols, int64_t source_ld,
                                        void *destination, int64_t destination_ld)
{
    for (int64_t row = 0; row < rows; row += SIDE) {
        const __mmask16 mask = df_avx512_first(rows - row);
        for (int64_t col = 0; col < cols; col += SIDE) {
            int32_t *to = (int32_t *)destination + col * destination_ld + row;
            __m512i square[SIDE];
            load_transposed((const int32_t *)source + row * source_ld + col, rows - row, cols - col,
                            source_ld, square);
#pragma GCC unroll 16
            for (int j = 0; j < SIDE; j++) {
                if (j < cols - col)
                    _mm512_mask_storeu_epi32(to + j * destination_ld, mask, square[j]);
            }
        }
    }
}

/* Pairs of bfloat16 are moved as numbers of 32 bits. */
void df_pack_transposed_bf16_avx512(const void *b, int64_t k, int64_t n, int64_t ld, void *packed)
{
    for (int64_t column = 0; column < n; column += DF_PANEL) {
        uint16_t *panel = (uint16_t *)packed + column * df_padded_rows(k);
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        const int64_t written = width < DF_PANEL ? 0 : k;
        memset(panel + written * DF_PANEL, 0,
               (size_t)((df_padded_rows(k) - written) * DF_PANEL) * sizeof *panel);
        df_transpose_f32_avx512((const uint16_t *)b + column * ld, width, k / 2, ld / 2, panel, DF_PANEL);
    }
}

DF_AVX512_TARGET void df_pack_bf16_avx512(const void *b, int64_t k, int64_t n, int64_t ld, void *destination)
{
    const __m512i interleave = df_avx512_interleave();
    uint16_t *packed = destination;

    for (int64_t column = 0; column < n; column += DF_PANEL) {
        for (int64_t row = 0; row < df_padded_rows(k); row += 2) {
            const uint16_t *even = (const uint16_t *)b + row * ld + column;
            for (int j = 0; j < DF_PANEL; j += SIDE) {
                const __mmask16 mask = df_avx512_first(n - column - j);
                const __m256i first = _mm256_maskz_loadu_epi16(row < k ? mask : 0, even + j);
                const __m256i second = _mm256_maskz_loadu_epi16(row + 1 < k ? mask : 0, even + ld + j);
                const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
                _mm512_storeu_si512(packed, _mm512_permutexvar_epi16(interleave, both));
                packed += 2 * SIDE;
            }
        }
    }
}

/* Squares of 16 rows and 16 pairs of columns. */
DF_AVX512_TARGET void df_transpose_bf16_avx512(const void *source, int64_t rows, int64_t cols,
                                               int64_t source_ld, void *destination, int64_t destination_ld)
{
    for (int64_t row = 0; row < df_padded_rows(rows); row += SIDE) {
        for (int64_t col = 0; col < cols; col += 2 * SIDE) {
            uint16_t *to = (uint16_t *)destination + col * destination_ld + row;
            __m512i square[SIDE];
            load_transposed((const uint16_t *)source + row * source_ld + col, rows - row, (cols - col) / 2,
                            source_ld / 2, square);
#pragma GCC unroll 16
            for (int j = 0; j < SIDE; j++) {
                if (2 * j < cols - col) {
                    _mm256_storeu_si256((__m256i *)(void *)(to + 2 * j * destination_ld),
                                        _mm512_cvtepi32_epi16(square[j]));
                    _mm256_storeu_si256((__m256i *)(void *)(to + (2 * j + 1) * destination_ld),
                                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(square[j], 16)));
                }
            }
        }
    }
}

DF_AVX512_INLINE void store_bf16(uint16_t *to, __mmask16 mask, __m512 values)
{
    _mm256_mask_storeu_epi16(to, mask, (__m256i)_mm512_cvtneps_pbh(values));
}

DF_AVX512_TARGET void df_store_transposed_bf16_avx512(const void *source, int64_t rows, int64_t cols,
                                                      int64_t source_ld, void *destination,
                                                      int64_t destination_ld)
{
    for (int64_t col = 0; col < cols; col += SIDE) {
        for (int64_t row = 0; row < rows; row += SIDE) {
            const __mmask16 mask = df_avx512_first(rows - row);
            uint16_t *to = (uint16_t *)destination + col * destination_ld + row;
            __m512i square[SIDE];
            load_transposed((const float *)source + row * source_ld + col, rows - row, cols - col, source_ld,
                            square);
#pragma GCC unroll 16
            for (int j = 0; j < SIDE; j++) {
                if (j < cols - col)
                    store_bf16(to + j * destination_ld, mask, _mm512_castsi512_ps(square[j]));
            }
        }
    }
}

DF_AVX512_TARGET void df_store_rows_bf16_avx512(const float *source, int64_t rows, int64_t cols,
                                                int64_t source_ld, const float *factor, void *destination,
                                                int64_t destination_ld)
{
    for (int64_t i = 0; i < rows; i++) {
        const __m512 f = _mm512_set1_ps(factor ? factor[i] : 1.0f);
        for (int64_t j = 0; j < cols; j += SIDE) {
            const __mmask16 mask = df_avx512_first(cols - j);
            const __m512 values = _mm512_maskz_loadu_ps(mask, source + i * source_ld + j);
            store_bf16((uint16_t *)destination + i * destination_ld + j, mask, _mm512_mul_ps(values, f));
        }
    }
}

DF_AVX512_TARGET void df_row_products_bf16_avx512(const void *a, const void *b, int64_t rows, int64_t cols,
                                                  int64_t ld, float *products)
{
    for (int64_t i = 0; i < rows; i++) {
        const uint16_t *x = (const uint16_t *)a + i * ld, *y = (const uint16_t *)b + i * ld;
        __m512 sum = _mm512_setzero_ps();
        for (int64_t j = 0; j < cols; j += SIDE) {
            const __mmask16 mask = df_avx512_first(cols - j);
            const __m512 left = df_avx512_widen(_mm256_maskz_loadu_epi16(mask, x + j));
            const __m512 right = df_avx512_widen(_mm256_maskz_loadu_epi16(mask, y + j));
            sum = _mm512_fmadd_ps(left, right, sum);
        }
        products[i] = _mm512_reduce_add_ps(sum);
    }
}

#endif
