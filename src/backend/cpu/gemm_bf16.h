/* Small matrix products of bfloat16 with float32 sums, on the calling thread: what attention is made of. (A
 * library call for each block would repack its operands every time; here they are packed once for a head.)
 *
 * C [m, n] (+)= A [m, k] B [k, n]. A is row-major and read as it is. B is packed in panels of DF_PANEL
 * columns, each [pairs of k, DF_PANEL, 2], the layout that VDPBF16PS and the AMX tiles multiply; the last
 * panel is filled with zeros, and so are the rows up to df_padded_rows(k). Private to src/backend/cpu. */
#ifndef DINOFT_GEMM_BF16_H
#define DINOFT_GEMM_BF16_H

#include "bf16_isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_PANEL 64

/* What an AMX tile holds of k. */
#define DF_K_STEP 32

/* n rounded up to what a packed matrix holds. */
static inline int64_t df_panel_columns(int64_t n)
{
    return (n + DF_PANEL - 1) / DF_PANEL * DF_PANEL;
}

static inline int64_t df_padded_rows(int64_t k)
{
    return (k + DF_K_STEP - 1) / DF_K_STEP * DF_K_STEP;
}

/* Elements (uint16) of a packed [k, n]. */
static inline int64_t df_packed_count(int64_t k, int64_t n)
{
    return df_padded_rows(k) * df_panel_columns(n);
}

/* Packs B [k, n], row-major with stride ld. */
void df_pack_bf16(const uint16_t *b, int64_t k, int64_t n, int64_t ld, uint16_t *packed);

/* Packs the transpose: b is [n, k], row-major with stride ld. k is even. */
void df_pack_bf16_transposed(const uint16_t *b, int64_t k, int64_t n, int64_t ld, uint16_t *packed);

/* A has df_padded_rows(k) columns, zeros from k on; c has room for df_panel_columns(n) columns in each row,
 * of which those from n on are overwritten with anything. */
struct df_gemm_bf16 {
    int64_t m, n, k;
    const uint16_t *a;
    int64_t lda;
    const uint16_t *packed;
    float *c;
    int64_t ldc;
    bool accumulate;
};

typedef void df_gemm_bf16_function(const struct df_gemm_bf16 *product);

/* In plain C, for every processor. */
df_gemm_bf16_function df_gemm_bf16_portable;

/* With VDPBF16PS, and with AMX tiles: only where the processor has them (elsewhere than on x86-64 they are
 * the portable one). */
df_gemm_bf16_function df_gemm_bf16_avx512;
df_gemm_bf16_function df_gemm_bf16_amx;

extern df_gemm_bf16_function *const df_gemm_bf16_functions[DF_BF16_ISAS];

#endif
