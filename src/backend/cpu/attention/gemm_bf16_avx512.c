/* Products of bfloat16 with VDPBF16PS, two multiplications to a lane of a vector. */
#include "gemm_bf16.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "../avx512_bf16.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define LANES DF_AVX512_LANES

/* Rows of C that are worked on together: with four vectors of columns 24 sums, which leaves room in the 32
 * registers for a row of B. */
#define MOST_ROWS 6

DF_AVX512_TARGET static inline __m512bh load_pairs(const uint16_t *pairs)
{
    return (__m512bh)_mm512_loadu_si512(pairs);
}

DF_AVX512_TARGET static inline __m512bh broadcast_pair(const uint16_t *pair)
{
    int32_t both;
    memcpy(&both, pair, sizeof both);
    return (__m512bh)_mm512_set1_epi32(both);
}

/* rows x (vectors * 16) of C. The counts are constants wherever it is called, so that the sums stay in
 * registers. */
DF_AVX512_INLINE void tile(const struct df_packed_gemm *p, const uint16_t *a, const uint16_t *panel, float *c,
                           const int rows, const int vectors)
{
    __m512 sums[MOST_ROWS][DF_PANEL / LANES];

#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sums[i][v] = p->accumulate ? _mm512_loadu_ps(c + i * p->ldc + v * LANES) : _mm512_setzero_ps();
    }
    for (int64_t pair = 0; 2 * pair < p->k; pair++) {
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

DF_AVX512_TARGET static void any_tile(const struct df_packed_gemm *p, const uint16_t *a,
                                      const uint16_t *panel, float *c, int rows, int vectors)
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
void df_gemm_bf16_avx512(const struct df_packed_gemm *p)
{
    assert(p->ldc >= df_panel_columns(p->n) && p->lda >= df_padded_rows(p->k));
    for (int64_t column = 0; column < p->n; column += DF_PANEL) {
        const uint16_t *panel = (const uint16_t *)p->packed + column * df_padded_rows(p->k);
        const int vectors = (int)((df_min_i64(DF_PANEL, p->n - column) + LANES - 1) / LANES);
        for (int64_t i = 0; i < p->m; i += MOST_ROWS)
            any_tile(p, (const uint16_t *)p->a + i * p->lda, panel, p->c + i * p->ldc + column,
                     (int)df_min_i64(MOST_ROWS, p->m - i), vectors);
    }
}

#else

void df_gemm_bf16_avx512(const struct df_packed_gemm *product)
{
    df_gemm_bf16_portable(product);
}

#endif
