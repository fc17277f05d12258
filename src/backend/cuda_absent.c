/* In the CUDA backend's place where it was not built. */
#include "dinoft/backend.h"

#include "backend_facts.h"

#include "dinoft/error.h"

enum df_cuda_presence df_cuda_presence(void)
{
    df_error_set("device cuda: this build of dinoft has no CUDA backend; use cpu or auto");
    return DF_CUDA_ABSENT;
}

/* df_cuda_presence() has told the only one. */
void df_cuda_facts(FILE *stream)
{
    (void)stream;
}

struct df_backend *df_cuda_backend_open(int gpu, enum df_dtype compute, int threads)
{
    (void)gpu;
    (void)compute;
    (void)threads;
    (void)df_cuda_presence();
    return NULL;
}

int df_cuda_backend_take(struct df_backend *backend)
{
    (void)backend;
    return df_cuda_presence() == DF_CUDA_READY ? 0 : -1;
}
