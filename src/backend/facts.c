#include "dinoft/facts.h"

#include "backend_facts.h"

#include "dinoft/backend.h"

void df_backend_facts(FILE *stream)
{
    const bool cuda = df_cuda_presence() == DF_CUDA_READY;

    if (cuda)
        df_fact(stream, "backend cuda", "usable");
    else
        df_fact(stream, "backend cuda", "not usable: %s", df_cuda_reason());
    df_fact(stream, "backend cpu", "usable");
    df_fact(stream, "default device", "%s, %s", cuda ? "cuda" : "cpu",
            df_dtype_name(df_backend_auto_compute(cuda)));
    df_cpu_facts(stream);
    df_cuda_facts(stream);
}
