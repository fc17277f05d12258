/* Products of bfloat16 on the AMX tile unit: a tile is 16 rows of 64 bytes, a product adds 16 x 32 by 32 x 16
 * to 16 x 16 sums. Four tiles hold sums (32 x 32 of C), two hold A, two hold B. */
#include "gemm_bf16.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "dinoft/size.h"

#include <assert.h>
#include <immintrin.h>

#define TARGET __attribute__((target("amx-tile,amx-bf16")))

#define TILE_ROWS    16
#define TILE_COLUMNS 16 /* of C and B */
#define TILE_BYTES   64 /* of a row */
#define BLOCK        32 /* rows and columns of C that are worked on together */

/* The layout that LDTILECFG reads. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};

_Static_assert(sizeof(struct tile_config) == 64, "the processor reads 64 bytes");

/* Tiles 0 to 3 are C [upper, lower] x [left, right], 4 and 5 A's upper and lower rows, 6 and 7 B's left and
 * right columns. Of A and C there are `rows`, 1 to 32. */
TARGET static void configure(int64_t rows)
{
    const uint8_t upper = (uint8_t)df_min_i64(rows, TILE_ROWS), lower = (uint8_t)(rows - upper);
    const uint8_t used[8] = {upper, upper, lower, lower, upper, lower, TILE_ROWS, TILE_ROWS};
    struct tile_config config = {.palette = 1};

    for (int i = 0; i < 8; i++) {
        config.rows[i] = used[i];
        config.bytes[i] = used[i] ? TILE_BYTES : 0;
    }
    /* gcc's _tile_loadconfig() says that it reads eight bytes: the other stores could be left out. */
    __asm__ volatile("" : : "r"(&config) : "memory");
    _tile_loadconfig(&config);
}

/* 32 columns of C, from the panel's position `packed` on, and up to 16 rows. */
TARGET static void upper_block(const struct df_packed_gemm *p, const uint16_t *a, const uint16_t *packed,
                               float *c)
{
    const int64_t lda = 2 * p->lda, ldb = 4 * DF_PANEL, ldc = 4 * p->ldc; /* bytes */

    if (p->accumulate) {
        _tile_loadd(0, c, ldc);
        _tile_loadd(1, c + TILE_COLUMNS, ldc);
    } else {
        _tile_zero(0);
        _tile_zero(1);
    }
    for (int64_t k = 0; k < p->k; k += DF_K_STEP) {
        const uint16_t *b = packed + k * DF_PANEL;
        _tile_loadd(4, a + k, lda);
        _tile_loadd(6, b, ldb);
        _tile_loadd(7, b + 2 * TILE_COLUMNS, ldb);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
    }
    _tile_stored(0, c, ldc);
    _tile_stored(1, c + TILE_COLUMNS, ldc);
}

/* The same for 17 to 32 rows. */
TARGET static void full_block(const struct df_packed_gemm *p, const uint16_t *a, const uint16_t *packed,
                              float *c)
{
    const int64_t lda = 2 * p->lda, ldb = 4 * DF_PANEL, ldc = 4 * p->ldc; /* bytes */
    const uint16_t *lower_a = a + TILE_ROWS * p->lda;
    float *lower_c = c + TILE_ROWS * p->ldc;

    if (p->accumulate) {
        _tile_loadd(0, c, ldc);
        _tile_loadd(1, c + TILE_COLUMNS, ldc);
        _tile_loadd(2, lower_c, ldc);
        _tile_loadd(3, lower_c + TILE_COLUMNS, ldc);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t k = 0; k < p->k; k += DF_K_STEP) {
        const uint16_t *b = packed + k * DF_PANEL;
        _tile_loadd(6, b, ldb);
        _tile_loadd(4, a + k, lda);
        _tile_loadd(7, b + 2 * TILE_COLUMNS, ldb);
        _tile_loadd(5, lower_a + k, lda);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, ldc);
    _tile_stored(1, c + TILE_COLUMNS, ldc);
    _tile_stored(2, lower_c, ldc);
    _tile_stored(3, lower_c + TILE_COLUMNS, ldc);
}

/* Rows [begin, end) of C, every column: in whole blocks, or one block that is not. */
TARGET static void row_blocks(const struct df_packed_gemm *p, int64_t begin, int64_t end)
{
    const int64_t panel_count = df_padded_rows(p->k) * DF_PANEL;

    configure(df_min_i64(BLOCK, end - begin));
    for (int64_t column = 0; column < p->n; column += BLOCK) {
        const uint16_t *packed =
            (const uint16_t *)p->packed + column / DF_PANEL * panel_count + column % DF_PANEL * 2;
        for (int64_t i = begin; i < end; i += BLOCK) {
            const uint16_t *a = (const uint16_t *)p->a + i * p->lda;
            float *c = p->c + i * p->ldc + column;
            if (end - i > TILE_ROWS)
                full_block(p, a, packed, c);
            else
                upper_block(p, a, packed, c);
        }
    }
}

TARGET void df_gemm_bf16_amx(const struct df_packed_gemm *p)
{
    const int64_t whole = p->m / BLOCK * BLOCK;

    assert(p->ldc >= df_panel_columns(p->n) && p->lda >= df_padded_rows(p->k));
    if (whole > 0)
        row_blocks(p, 0, whole);
    if (p->m > whole)
        row_blocks(p, whole, p->m);
    _tile_release();
}

#else

void df_gemm_bf16_amx(const struct df_packed_gemm *product)
{
    df_gemm_bf16_portable(product);
}

#endif
