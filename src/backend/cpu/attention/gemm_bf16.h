/* Products of bfloat16 with float32 sums. A panel of a packed matrix is [pairs of k, DF_PANEL, 2], the layout
 * that VDPBF16PS and the AMX tiles multiply, with zeros up to row df_padded_rows(k); A has as many columns,
 * zeros from k on. Private to src/backend/cpu. */
#ifndef DINOFT_GEMM_BF16_H
#define DINOFT_GEMM_BF16_H

#include "attention_kernels.h"
#include "../bf16_isa.h"

/* What an AMX tile holds of k. */
#define DF_K_STEP 32

static inline int64_t df_padded_rows(int64_t k)
{
    return (k + DF_K_STEP - 1) / DF_K_STEP * DF_K_STEP;
}

df_pack_function df_pack_bf16;
df_pack_function df_pack_bf16_transposed; /* k is even */

/* In plain C, for every processor. */
df_packed_gemm_function df_gemm_bf16_portable;

/* With VDPBF16PS, and with AMX tiles: only where the processor has them (elsewhere than on x86-64 they are
 * the portable one). */
df_packed_gemm_function df_gemm_bf16_avx512;
df_packed_gemm_function df_gemm_bf16_amx;

#endif
