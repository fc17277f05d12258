/* Small results on their way to the host. */
#include "cuda_backend.h"
#include "cuda_context.h"

#include "dinoft/error.h"

#include <assert.h>
#include <string.h>

int df_cuda_fetches_open(struct df_cuda_fetches *fetches)
{
    for (int i = 0; i < DF_FETCH_SLOTS; i++) {
        DF_TRY(DF_CUDA(cudaMallocHost(&fetches->memory[i], DF_FETCH_MOST)));
        DF_TRY(DF_CUDA(cudaEventCreateWithFlags(&fetches->arrived[i], cudaEventDisableTiming)));
    }
    return 0;
}

void df_cuda_fetches_close(struct df_cuda_fetches *fetches)
{
    for (int i = 0; i < DF_FETCH_SLOTS; i++) {
        if (fetches->arrived[i])
            (void)cudaEventDestroy(fetches->arrived[i]);
        if (fetches->memory[i])
            (void)cudaFreeHost(fetches->memory[i]);
    }
    memset(fetches, 0, sizeof *fetches);
}

int df_cuda_fetch(struct df_backend *backend, int slot, const void *device, size_t bytes)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cuda_fetches *fetches = &context->fetches;

    assert(slot >= 0 && slot < DF_FETCH_SLOTS && bytes <= DF_FETCH_MOST && !context->capturing);
    DF_TRY(DF_CUDA(
        cudaMemcpyAsync(fetches->memory[slot], device, bytes, cudaMemcpyDeviceToHost, context->stream)));
    return DF_CUDA(cudaEventRecord(fetches->arrived[slot], context->stream));
}

int df_cuda_fetched(struct df_backend *backend, int slot, void *host, size_t bytes)
{
    const struct df_cuda_fetches *fetches = &df_cuda_context(backend)->fetches;

    assert(slot >= 0 && slot < DF_FETCH_SLOTS && bytes <= DF_FETCH_MOST);
    DF_TRY(DF_CUDA(cudaEventSynchronize(fetches->arrived[slot])));
    memcpy(host, fetches->memory[slot], bytes);
    return 0;
}
