#include "dinoft/backend.h"

#include "backend_facts.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <string.h>

enum device { NO_DEVICE, CPU, CUDA };

static enum device choose_device(const char *device)
{
    if (!strcmp(device, "cpu"))
        return CPU;
    if (!strcmp(device, "cuda"))
        return CUDA;
    if (strcmp(device, "auto") != 0) {
        df_error_set("device '%s' is unknown; expected auto, cpu or cuda", device);
        return NO_DEVICE;
    }
    const enum df_cuda_presence presence = df_cuda_presence();
    if (presence == DF_CUDA_UNUSABLE)
        df_log("the GPU is left alone: %s", df_error_text());
    return presence == DF_CUDA_READY ? CUDA : CPU;
}

enum df_dtype df_backend_auto_compute(bool cuda)
{
    return cuda || df_cpu_bf16_is_native() ? DF_BF16 : DF_F32;
}

static int choose_compute_type(enum device device, const char *precision, enum df_dtype *compute)
{
    if (!strcmp(precision, "fp32"))
        *compute = DF_F32;
    else if (!strcmp(precision, "bf16"))
        *compute = DF_BF16;
    else if (!strcmp(precision, "auto"))
        *compute = df_backend_auto_compute(device == CUDA);
    else
        return df_error_set("precision '%s' is unknown; expected auto, fp32 or bf16", precision);
    return 0;
}

struct df_backend *df_backend_open(const char *device, const char *precision, int threads)
{
    const enum device chosen = choose_device(device);
    enum df_dtype compute = DF_F32;

    if (chosen == NO_DEVICE || choose_compute_type(chosen, precision, &compute) != 0)
        return NULL;
    return chosen == CUDA ? df_cuda_backend_open(compute, threads) : df_cpu_backend_open(compute, threads);
}

void df_backend_close(struct df_backend *backend)
{
    if (backend)
        backend->ops->close(backend);
}
