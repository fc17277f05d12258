/* Small matrix products of bfloat16 with float32 sums, on the calling thread: what attention is made of. (A
 * library call for each block would repack its operands every time; here they are packed once for a head.)
 *
 * C [m, n] (+)= A [m, k] B [k, n]. A is row-major and read as it is. B is packed in panels of DF_PANEL
 * columns, each [pairs of k, DF_PANEL, 2], the layout that VDPBF16PS multiplies; the last panel is filled
 * with zeros, and so is the last pair when k is odd. Private to src/backend/cpu. */
#ifndef DINOFT_GEMM_BF16_H
#define DINOFT_GEMM_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_PANEL 64

/* k or n rounded up to what a packed matrix holds. */
static inline int64_t df_panel_columns(int64_t n)
{
    return (n + DF_PANEL - 1) / DF_PANEL * DF_PANEL;
}

static inline int64_t df_even(int64_t k)
{
    return (k + 1) / 2 * 2;
}

/* Elements (uint16) of a packed [k, n]. */
static inline int64_t df_packed_count(int64_t k, int64_t n)
{
    return df_even(k) * df_panel_columns(n);
}

/* Packs B [k, n], row-major with stride ld. */
void df_pack_bf16(const uint16_t *b, int64_t k, int64_t n, int64_t ld, uint16_t *packed);

/* Packs the transpose: b is [n, k], row-major with stride ld. k is even. */
void df_pack_bf16_transposed(const uint16_t *b, int64_t k, int64_t n, int64_t ld, uint16_t *packed);

/* k is even (an odd one is padded with zeros in A and B); c has room for df_panel_columns(n) columns in each
 * row, of which those from n on are overwritten with anything. */
struct df_gemm_bf16 {
    int64_t m, n, k;
    const uint16_t *a;
    int64_t lda;
    const uint16_t *packed;
    float *c;
    int64_t ldc;
    bool accumulate;
};

/* Uses VDPBF16PS where the processor has it. */
void df_gemm_bf16(const struct df_gemm_bf16 *product);

/* The same in plain C, for every processor; tests compare the two. */
void df_gemm_bf16_portable(const struct df_gemm_bf16 *product);

/* Whether df_gemm_bf16 has instructions of its own here. */
bool df_gemm_bf16_is_native(void);

#endif
