#include "bf16_isa.h"

#include "onednn.h"

enum df_bf16_isa df_bf16_isa_best(void)
{
    if (df_onednn_may_use(dnnl_cpu_isa_avx512_core_amx))
        return DF_BF16_AMX;
    return df_onednn_may_use(dnnl_cpu_isa_avx512_core_bf16) ? DF_BF16_AVX512 : DF_BF16_PORTABLE;
}
