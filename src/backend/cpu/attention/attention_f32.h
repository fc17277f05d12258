/* Attention's kernels in float32. A panel of a packed matrix is [k, DF_PANEL], filled up with zeros; nothing
 * lies behind column k of A. Private to src/backend/cpu. */
#ifndef DINOFT_ATTENTION_F32_H
#define DINOFT_ATTENTION_F32_H

#include "attention_kernels.h"

enum df_f32_isa {
    DF_F32_PORTABLE,
    DF_F32_AVX2, /* and FMA */
    DF_F32_AVX512,
    DF_F32_ISAS,
};

/* The fastest that processor, system and oneDNN's limit (the variable ONEDNN_MAX_CPU_ISA) allow. */
enum df_f32_isa df_f32_isa_best(void);

/* Only those up to df_f32_isa_best() may run. */
extern const struct df_attention_kernels df_attention_f32[DF_F32_ISAS];

#endif
