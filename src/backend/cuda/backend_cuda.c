#include "attention_cudnn.h"
#include "cuda_backend.h"

#include "cuda_context.h"
#include "gemm.h"

#include "dinoft/error.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAST_CAPABILITY 80 /* bfloat16 on tensor cores, cp.async */

void df_cuda_close(struct df_backend *backend)
{
    struct df_cuda_context *context = df_cuda_context(backend);

    if (context->stream)
        (void)cudaStreamSynchronize(context->stream);
    df_gemm_cache_close(context);
    df_conv_cudnn_close(context);
    df_attention_cudnn_close(context);
    df_cuda_cudnn_close(context);
    if (context->blas)
        (void)context->lt.cublasLtDestroy(context->blas);
    df_cuda_staging_close(&context->staging);
    df_cuda_batches_close(&context->batches);
    df_cuda_fetches_close(&context->fetches);
    df_cuda_free(backend, context->workspace);
    df_cuda_free(backend, context->scratch.memory);
    if (context->stream)
        (void)cudaStreamDestroy(context->stream);
    free(context);
}

static const struct df_backend_ops cuda_ops = {
#define DF_ROW(type, name, parameters, arguments) .name = df_cuda_##name,
#include "dinoft/operation_list.h"
};

static int describe_driver(void)
{
    int driver = 0, runtime = 0;

    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    if (driver == 0)
        return df_error_set(
            "device cuda: there is no NVIDIA driver here (looked for libcuda.so.1); it takes one "
            "for CUDA %d.%d or newer",
            runtime / 1000, runtime % 1000 / 10);
    return df_error_set("device cuda: the NVIDIA driver is one for CUDA %d.%d; this build needs one for CUDA "
                        "%d.%d or newer",
                        driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
}

/* The device of this number, of those that the process may see. */
static enum df_cuda_presence find_device(int gpu, struct cudaDeviceProp *device)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    int count = 0, driver = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);

    (void)cudaGetLastError();
    if (status == cudaErrorInsufficientDriver || status == cudaErrorStubLibrary) {
        describe_driver();
        (void)cudaDriverGetVersion(&driver);
        return driver == 0 ? DF_CUDA_ABSENT : DF_CUDA_UNUSABLE;
    }
    if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
        df_error_set("device cuda: the NVIDIA driver finds no GPU%s%s",
                     visible ? "; CUDA_VISIBLE_DEVICES is " : "", visible ? visible : "");
        return DF_CUDA_ABSENT;
    }
    if (status == cudaSuccess && gpu >= count) {
        df_error_set("device cuda:%d: of %d GPUs that the program may see the last is cuda:%d%s%s", gpu,
                     count, count - 1, visible ? "; CUDA_VISIBLE_DEVICES is " : "", visible ? visible : "");
        return DF_CUDA_ABSENT;
    }
    if (DF_CUDA(status) != 0 || DF_CUDA(cudaGetDeviceProperties(device, gpu)) != 0) {
        df_error_context("device cuda");
        return DF_CUDA_UNUSABLE;
    }
    if (10 * device->major + device->minor < LEAST_CAPABILITY) {
        df_error_set("device cuda: %s has compute capability %d.%d; 8.0 or newer is needed", device->name,
                     device->major, device->minor);
        return DF_CUDA_UNUSABLE;
    }
    return DF_CUDA_READY;
}

enum df_cuda_presence df_cuda_presence(void)
{
    struct cudaDeviceProp device;
    struct df_cublaslt lt;
    const enum df_cuda_presence presence = find_device(0, &device);

    if (presence != DF_CUDA_READY)
        return presence;
    return df_cublaslt_open(&lt, NULL) == 0 ? DF_CUDA_READY : DF_CUDA_UNUSABLE;
}

static int open_device(struct df_cuda_context *context, int gpu)
{
    struct cudaDeviceProp device;
    char folder[DF_AUTOTUNE_FOLDER_MAX];

    if (find_device(gpu, &device) != DF_CUDA_READY)
        return -1;
    snprintf(context->device_name, sizeof context->device_name, "%s", device.name);
    context->gpu = gpu;
    context->capability = 10 * device.major + device.minor;
    context->attention_patience = DF_ATTENTION_PATIENCE;
    DF_TRY(DF_CUDA(cudaSetDevice(gpu)));
    DF_TRY(df_cublaslt_open(&context->lt, &context->blas));
    DF_TRY(DF_CUDA(cudaStreamCreateWithFlags(&context->stream, cudaStreamNonBlocking)));
    DF_TRY(df_cuda_staging_open(&context->staging));
    DF_TRY(df_cuda_batches_open(&context->batches));
    DF_TRY(df_cuda_fetches_open(&context->fetches));
    context->workspace = df_cuda_alloc(&context->backend, DF_CUDA_WORKSPACE_BYTES);
    if (!context->workspace)
        return -1;
    context->gemms = df_gemm_cache_open(context);
    if (!context->gemms)
        return -1;
    if (context->backend.compute == DF_BF16 && df_autotune_folder(folder)) /* attention will ask for it */
        df_cuda_cudnn_begin(context);
    return 0;
}

struct df_backend *df_cuda_backend_open(int gpu, enum df_dtype compute, int threads)
{
    if (compute != DF_F32 && compute != DF_BF16) {
        df_error_set("the cuda backend computes in float32 or bfloat16, not in %s", df_dtype_name(compute));
        return NULL;
    }
    if (threads < 0) {
        df_error_set("%d threads: expected a count, or 0 for all cores", threads);
        return NULL;
    }
    struct df_cuda_context *context = calloc(1, sizeof *context);
    if (!context) {
        df_error_memory("the cuda backend", sizeof *context);
        return NULL;
    }
    context->backend.ops = &cuda_ops;
    context->backend.name = "cuda";
    context->backend.compute = compute;
    context->backend.threads = threads ? threads : omp_get_num_procs(); /* of the host's part of the work */
    context->backend.native = true;
    context->backend.enqueues = true;
    context->backend.resizes = true;
    if (open_device(context, gpu) != 0) {
        df_cuda_close(&context->backend);
        return NULL;
    }
    return &context->backend;
}

int df_cuda_backend_take(struct df_backend *backend)
{
    omp_set_num_threads(backend->threads);
    return DF_CUDA(cudaSetDevice(df_cuda_context(backend)->gpu));
}
