/* Attention's kernels in bfloat16. Private to src/backend/cpu. */
#ifndef DINOFT_ATTENTION_BF16_H
#define DINOFT_ATTENTION_BF16_H

#include "attention_kernels.h"
#include "../bf16_isa.h"

/* Only those up to df_bf16_isa_best() may run. */
extern const struct df_attention_kernels df_attention_bf16[DF_BF16_ISAS];

#endif
