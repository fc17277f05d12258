#include "dinoft/backend.h"

#include "backend_facts.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

static bool takes_gpu(enum df_device_choice device)
{
    if (device != DF_DEVICE_AUTO)
        return device != DF_DEVICE_CPU;
    const enum df_cuda_presence presence = df_cuda_presence();
    if (presence == DF_CUDA_UNUSABLE)
        df_log("the GPU is left alone: %s", df_error_text());
    return presence == DF_CUDA_READY;
}

enum df_dtype df_backend_auto_compute(bool cuda)
{
    return cuda || df_cpu_bf16_is_native() ? DF_BF16 : DF_F32;
}

struct df_backend *df_backend_open(enum df_device_choice device, enum df_precision precision, int threads)
{
    const bool cuda = takes_gpu(device);
    const int gpu = device > DF_DEVICE_CUDA_N ? (int)(device - DF_DEVICE_CUDA_N) : 0;
    const enum df_dtype compute = precision == DF_PRECISION_AUTO   ? df_backend_auto_compute(cuda)
                                  : precision == DF_PRECISION_BF16 ? DF_BF16
                                                                   : DF_F32;

    return cuda ? df_cuda_backend_open(gpu, compute, threads) : df_cpu_backend_open(compute, threads);
}

void df_backend_close(struct df_backend *backend)
{
    if (backend)
        backend->ops->close(backend);
}
