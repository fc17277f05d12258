#include "gemm_bf16.h"

#include "../bf16.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

/* Zeros from row k of a packed panel on. Returns where the next panel starts. */
static uint16_t *fill_panel(uint16_t *rest, int64_t k)
{
    const size_t count = (size_t)(df_padded_rows(k) - (k + k % 2)) * DF_PANEL;

    memset(rest, 0, count * sizeof *rest);
    return rest + count;
}

void df_pack_bf16(const void *b, int64_t k, int64_t n, int64_t ld, void *destination)
{
    uint16_t *packed = destination;

    for (int64_t column = 0; column < n; column += DF_PANEL) {
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        for (int64_t row = 0; row < k; row += 2) {
            const uint16_t *even = (const uint16_t *)b + row * ld + column,
                           *odd = row + 1 < k ? even + ld : NULL;
            memset(packed, 0, 2 * DF_PANEL * sizeof *packed);
            for (int64_t j = 0; j < width; j++) {
                packed[2 * j] = even[j];
                packed[2 * j + 1] = odd ? odd[j] : 0;
            }
            packed += 2 * DF_PANEL;
        }
        packed = fill_panel(packed, k);
    }
}

void df_pack_bf16_transposed(const void *b, int64_t k, int64_t n, int64_t ld, void *destination)
{
    uint16_t *packed = destination;

    assert(k % 2 == 0);
    for (int64_t column = 0; column < n; column += DF_PANEL) {
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        for (int64_t pair = 0; pair < k / 2; pair++) {
            if (width < DF_PANEL)
                memset(packed, 0, 2 * DF_PANEL * sizeof *packed);
            for (int64_t j = 0; j < width; j++)
                memcpy(packed + 2 * j, (const uint16_t *)b + (column + j) * ld + 2 * pair,
                       2 * sizeof *packed);
            packed += 2 * DF_PANEL;
        }
        packed = fill_panel(packed, k);
    }
}

void df_gemm_bf16_portable(const struct df_packed_gemm *p)
{
    assert(p->ldc >= df_panel_columns(p->n) && p->lda >= df_padded_rows(p->k));
    for (int64_t column = 0; column < p->n; column += DF_PANEL) {
        const uint16_t *panel = (const uint16_t *)p->packed + column * df_padded_rows(p->k);
        for (int64_t i = 0; i < p->m; i++) {
            const uint16_t *a = (const uint16_t *)p->a + i * p->lda;
            float sums[DF_PANEL] = {0.0f};
            for (int64_t pair = 0; 2 * pair < p->k; pair++) {
                const float first = df_bf16_widen(a[2 * pair]);
                const float second = df_bf16_widen(a[2 * pair + 1]);
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
