/* Changes of layout for attention with AVX-512, where plain loops move one element at a time. Only where the
 * processor has it (and, for the bfloat16 ones, its conversions). Private to src/backend/cpu; x86-64 only. */
#ifndef DINOFT_LAYOUT_AVX512_H
#define DINOFT_LAYOUT_AVX512_H

#include "attention_kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define DF_LAYOUT_AVX512

df_pack_function df_pack_bf16_avx512, df_pack_transposed_bf16_avx512;
df_transpose_function df_transpose_f32_avx512, df_transpose_bf16_avx512, df_store_transposed_bf16_avx512;
df_store_rows_function df_store_rows_bf16_avx512;
df_row_products_function df_row_products_bf16_avx512;

#endif
#endif
