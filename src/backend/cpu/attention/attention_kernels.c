#include "attention_kernels.h"

#include "attention_bf16.h"
#include "attention_f32.h"

const struct df_attention_kernels *df_attention_kernels(enum df_dtype type)
{
    return type == DF_BF16 ? &df_attention_bf16[df_bf16_isa_best()] : &df_attention_f32[df_f32_isa_best()];
}
