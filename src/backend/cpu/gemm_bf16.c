#include "gemm_bf16.h"

#include "bf16.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

void df_pack_bf16(const uint16_t *b, int64_t k, int64_t n, int64_t ld, uint16_t *packed)
{
    for (int64_t column = 0; column < n; column += DF_PANEL) {
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        for (int64_t row = 0; row < k; row += 2) {
            const uint16_t *even = b + row * ld + column, *odd = row + 1 < k ? even + ld : NULL;
            memset(packed, 0, 2 * DF_PANEL * sizeof *packed);
            for (int64_t j = 0; j < width; j++) {
                packed[2 * j] = even[j];
                packed[2 * j + 1] = odd ? odd[j] : 0;
            }
            packed += 2 * DF_PANEL;
        }
    }
}

void df_pack_bf16_transposed(const uint16_t *b, int64_t k, int64_t n, int64_t ld, uint16_t *packed)
{
    assert(k % 2 == 0);
    for (int64_t column = 0; column < n; column += DF_PANEL) {
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        for (int64_t pair = 0; pair < k / 2; pair++) {
            if (width < DF_PANEL)
                memset(packed, 0, 2 * DF_PANEL * sizeof *packed);
            for (int64_t j = 0; j < width; j++)
                memcpy(packed + 2 * j, b + (column + j) * ld + 2 * pair, 2 * sizeof *packed);
            packed += 2 * DF_PANEL;
        }
    }
}

void df_gemm_bf16_portable(const struct df_gemm_bf16 *p)
{
    assert(p->k % 2 == 0 && p->ldc >= df_panel_columns(p->n));
    for (int64_t column = 0; column < p->n; column += DF_PANEL) {
        const uint16_t *panel = p->packed + column * p->k;
        for (int64_t i = 0; i < p->m; i++) {
            float sums[DF_PANEL] = {0.0f};
            for (int64_t pair = 0; pair < p->k / 2; pair++) {
                const float first = df_bf16_widen(p->a[i * p->lda + 2 * pair]);
                const float second = df_bf16_widen(p->a[i * p->lda + 2 * pair + 1]);
                const uint16_t *b = panel + pair * 2 * DF_PANEL;
                for (int j = 0; j < DF_PANEL; j++)
                    sums[j] += first * df_bf16_widen(b[2 * j]) + second * df_bf16_widen(b[2 * j + 1]);
            }
            float *c = p->c + i * p->ldc + column;
            for (int j = 0; j < DF_PANEL; j++)
                c[j] = p->accumulate ? c[j] + sums[j] : sums[j];
        }
    }
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define LANES  16 /* floats of a vector */

/* Rows of C that are worked on together: with four vectors of columns 24 sums, which leaves room in the 32
 * registers for a row of B. */
#define MOST_ROWS 6

bool df_gemm_bf16_is_native(void)
{
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

TARGET static inline __m512bh load_pairs(const uint16_t *pairs)
{
    return (__m512bh)_mm512_loadu_si512(pairs);
}

TARGET static inline __m512bh broadcast_pair(const uint16_t *pair)
{
    int32_t both;
    memcpy(&both, pair, sizeof both);
    return (__m512bh)_mm512_set1_epi32(both);
}

/* rows x (vectors * 16) of C. The counts are constants wherever it is called, so that the sums stay in
 * registers. */
TARGET static inline __attribute__((always_inline)) void tile(const struct df_gemm_bf16 *p, const uint16_t *a,
                                                              const uint16_t *panel, float *c, const int rows,
                                                              const int vectors)
{
    __m512 sums[MOST_ROWS][DF_PANEL / LANES];

#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sums[i][v] = p->accumulate ? _mm512_loadu_ps(c + i * p->ldc + v * LANES) : _mm512_setzero_ps();
    }
    for (int64_t pair = 0; pair < p->k / 2; pair++) {
        __m512bh b[DF_PANEL / LANES];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            b[v] = load_pairs(panel + pair * 2 * DF_PANEL + v * 2 * LANES);
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            const __m512bh both = broadcast_pair(a + i * p->lda + 2 * pair);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sums[i][v] = _mm512_dpbf16_ps(sums[i][v], both, b[v]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            _mm512_storeu_ps(c + i * p->ldc + v * LANES, sums[i][v]);
    }
}

#define TILE_OF(ROWS)                                                                                        \
    case ROWS:                                                                                               \
        if (vectors == 4)                                                                                    \
            tile(p, a, panel, c, ROWS, 4);                                                                   \
        else if (vectors == 3)                                                                               \
            tile(p, a, panel, c, ROWS, 3);                                                                   \
        else if (vectors == 2)                                                                               \
            tile(p, a, panel, c, ROWS, 2);                                                                   \
        else                                                                                                 \
            tile(p, a, panel, c, ROWS, 1);                                                                   \
        break

TARGET static void any_tile(const struct df_gemm_bf16 *p, const uint16_t *a, const uint16_t *panel, float *c,
                            int rows, int vectors)
{
    switch (rows) {
        TILE_OF(6);
        TILE_OF(5);
        TILE_OF(4);
        TILE_OF(3);
        TILE_OF(2);
        TILE_OF(1);
    }
}

/* Rows outside, panels inside would read all of B for every six rows: it is the other way round, and A, which
 * is small, is read again for each panel. */
static void gemm_native(const struct df_gemm_bf16 *p)
{
    for (int64_t column = 0; column < p->n; column += DF_PANEL) {
        const uint16_t *panel = p->packed + column * p->k;
        const int vectors = (int)((df_min_i64(DF_PANEL, p->n - column) + LANES - 1) / LANES);
        for (int64_t i = 0; i < p->m; i += MOST_ROWS)
            any_tile(p, p->a + i * p->lda, panel, p->c + i * p->ldc + column,
                     (int)df_min_i64(MOST_ROWS, p->m - i), vectors);
    }
}

void df_gemm_bf16(const struct df_gemm_bf16 *product)
{
    assert(product->k % 2 == 0 && product->ldc >= df_panel_columns(product->n));
    if (df_gemm_bf16_is_native())
        gemm_native(product);
    else
        df_gemm_bf16_portable(product);
}

#else

bool df_gemm_bf16_is_native(void)
{
    return false;
}

void df_gemm_bf16(const struct df_gemm_bf16 *product)
{
    df_gemm_bf16_portable(product);
}

#endif
