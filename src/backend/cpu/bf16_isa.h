/* Which instructions compute in bfloat16 here. Private to src/backend/cpu. */
#ifndef DINOFT_BF16_ISA_H
#define DINOFT_BF16_ISA_H

/* From slow to fast; a processor that has one has those before it. */
enum df_bf16_isa {
    DF_BF16_PORTABLE,
    DF_BF16_AVX512, /* VDPBF16PS, VCVTNE2PS2BF16 and AVX-512 around them */
    DF_BF16_AMX,    /* tiles as well */
    DF_BF16_ISAS,
};

/* The fastest that processor, system and oneDNN's limit (the variable ONEDNN_MAX_CPU_ISA) allow. */
enum df_bf16_isa df_bf16_isa_best(void);

#endif
