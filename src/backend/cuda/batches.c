#include "cuda_backend.h"
#include "cuda_context.h"

#include "dinoft/error.h"

#include <string.h>

int df_cuda_batches_open(struct df_cuda_batches *batches)
{
    DF_TRY(DF_CUDA(cudaStreamCreateWithFlags(&batches->stream, cudaStreamNonBlocking)));
    DF_TRY(DF_CUDA(cudaEventCreateWithFlags(&batches->arrived, cudaEventDisableTiming)));
    return DF_CUDA(cudaEventCreateWithFlags(&batches->resized, cudaEventDisableTiming));
}

void df_cuda_batches_close(struct df_cuda_batches *batches)
{
    if (batches->stream) {
        (void)cudaStreamSynchronize(batches->stream);
        (void)cudaStreamDestroy(batches->stream);
    }
    if (batches->arrived)
        (void)cudaEventDestroy(batches->arrived);
    if (batches->resized)
        (void)cudaEventDestroy(batches->resized);
    memset(batches, 0, sizeof *batches);
}

void *df_cuda_host_alloc(struct df_backend *backend, size_t bytes)
{
    void *memory = NULL;

    (void)backend;
    if (cudaMallocHost(&memory, bytes ? bytes : 1) == cudaSuccess)
        return memory;
    (void)cudaGetLastError();
    df_error_set("out of memory: %zu bytes of page-locked host memory for batches on their way to the device "
                 "are not to be had",
                 bytes);
    return NULL;
}

void df_cuda_host_free(struct df_backend *backend, void *memory)
{
    if (!memory)
        return;
    (void)df_cuda_sent(backend);
    (void)cudaFreeHost(memory);
}

int df_cuda_send(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    struct df_cuda_batches *batches = &df_cuda_context(backend)->batches;

    if (bytes == 0)
        return 0;
    DF_TRY(DF_CUDA(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, batches->stream)));
    return DF_CUDA(cudaEventRecord(batches->arrived, batches->stream));
}

int df_cuda_sent(struct df_backend *backend)
{
    return DF_CUDA(cudaEventSynchronize(df_cuda_context(backend)->batches.arrived));
}
