/* The softmax of attention in bfloat16, in plain C, and with AVX-512 for where that cannot be left to a
 * compiler. Private to src/backend/cpu. */
#ifndef DINOFT_SOFTMAX_BF16_H
#define DINOFT_SOFTMAX_BF16_H

#include "gemm_bf16.h"

df_softmax_function df_softmax_bf16, df_softmax_bf16_avx512;
df_softmax_backward_function df_softmax_backward_bf16, df_softmax_backward_bf16_avx512;

#endif
