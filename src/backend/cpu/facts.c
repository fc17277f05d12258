#include "../backend_facts.h"

#include "attention/attention_f32.h"
#include "bf16_isa.h"
#include "onednn.h"

#include "dinoft/facts.h"

#include <omp.h>

static const char *onednn_threads(unsigned runtime)
{
    switch (runtime) {
    case DNNL_RUNTIME_SEQ:
        return "one thread";
    case DNNL_RUNTIME_OMP:
        return "threads of OpenMP";
    case DNNL_RUNTIME_TBB:
        return "threads of TBB";
    default:
        return "threads of another kind";
    }
}

/* The best of those that versions 2 and 3 both know. */
static const char *onednn_isa(void)
{
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } sets[] = {
        {dnnl_cpu_isa_avx512_core_amx, "AMX"},
        {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with bfloat16"},
        {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
        {dnnl_cpu_isa_avx512_core, "AVX-512"},
        {dnnl_cpu_isa_avx2, "AVX2"},
        {dnnl_cpu_isa_avx, "AVX"},
        {dnnl_cpu_isa_sse41, "SSE4.1"},
    };

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (df_onednn_may_use(sets[i].isa))
            return sets[i].name;
    }
    return "none that is known here";
}

void df_cpu_facts(FILE *stream)
{
    static const char *const f32_names[DF_F32_ISAS] = {
        [DF_F32_PORTABLE] = "no special ones", [DF_F32_AVX2] = "AVX2", [DF_F32_AVX512] = "AVX-512"};
    static const char *const bf16_names[DF_BF16_ISAS] = {[DF_BF16_PORTABLE] = "no special ones",
                                                         [DF_BF16_AVX512] = "AVX-512 with bfloat16",
                                                         [DF_BF16_AMX] = "AMX"};
    const dnnl_version_t *library = dnnl_version();
    char version[64];

    df_fact(stream, "oneDNN uses", "%s", onednn_isa());
    df_fact(stream, "attention uses", "%s in float32, %s in bfloat16", f32_names[df_f32_isa_best()],
            bf16_names[df_bf16_isa_best()]);
    snprintf(version, sizeof version, "%d.%d.%d, %s", library->major, library->minor, library->patch,
             onednn_threads(library->cpu_runtime));
    df_fact_library(stream, "oneDNN", version, NULL, "dnnl_version");
    df_fact_library(stream, "OpenMP", "API of " DF_FACT_OF(_OPENMP), NULL, "omp_get_max_threads");
}
