#include "cuda_backend.h"
#include "cuda_context.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *df_cuda_alloc(struct df_backend *backend, size_t bytes)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cuda_block *block = malloc(sizeof *block);

    if (!block) {
        df_error_memory("a buffer's record", sizeof *block);
        return NULL;
    }
    block->memory = NULL;
    if (bytes > PTRDIFF_MAX || cudaMalloc(&block->memory, bytes ? bytes : 1) != cudaSuccess) {
        df_cuda_memory_failed("a buffer of the cuda backend", bytes);
        free(block);
        return NULL;
    }
    block->bytes = bytes;
    block->next = context->blocks;
    context->blocks = block;
    context->allocated += bytes;
    if (context->allocated > context->most_allocated)
        context->most_allocated = context->allocated;
    return block->memory;
}

void df_cuda_release(void *memory)
{
    if (!memory)
        return;
    (void)cudaDeviceSynchronize();
    (void)cudaFree(memory);
}

void df_cuda_free(struct df_backend *backend, void *memory)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cuda_block **link = &context->blocks;

    if (!memory)
        return;
    while (*link && (*link)->memory != memory)
        link = &(*link)->next;
    struct df_cuda_block *block = *link;
    if (!block)
        return;
    *link = block->next;
    context->allocated -= block->bytes;
    df_cuda_release(memory);
    free(block);
}

int df_cuda_staging_open(struct df_cuda_staging *staging)
{
    for (int i = 0; i < 2; i++) {
        DF_TRY(DF_CUDA(cudaMallocHost(&staging->buffer[i], DF_CUDA_STAGE_BYTES)));
        DF_TRY(DF_CUDA(cudaEventCreateWithFlags(&staging->done[i], cudaEventDisableTiming)));
    }
    return 0;
}

void df_cuda_staging_close(struct df_cuda_staging *staging)
{
    for (int i = 0; i < 2; i++) {
        if (staging->done[i])
            (void)cudaEventDestroy(staging->done[i]);
        if (staging->buffer[i])
            (void)cudaFreeHost(staging->buffer[i]);
    }
    memset(staging, 0, sizeof *staging);
}

static size_t chunk_bytes(size_t bytes, size_t offset)
{
    return bytes - offset < DF_CUDA_STAGE_BYTES ? bytes - offset : DF_CUDA_STAGE_BYTES;
}

/* Returns when `host` has been read, which may be before the device has all of it. */
int df_cuda_upload(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cuda_staging *staging = &context->staging;

    assert(!context->capturing);
    for (size_t offset = 0; offset < bytes; offset += DF_CUDA_STAGE_BYTES) {
        const size_t chunk = chunk_bytes(bytes, offset);
        const int slot = staging->next;
        DF_TRY(DF_CUDA(cudaEventSynchronize(staging->done[slot])));
        memcpy(staging->buffer[slot], (const char *)host + offset, chunk);
        DF_TRY(DF_CUDA(cudaMemcpyAsync((char *)device + offset, staging->buffer[slot], chunk,
                                       cudaMemcpyHostToDevice, context->stream)));
        DF_TRY(DF_CUDA(cudaEventRecord(staging->done[slot], context->stream)));
        staging->next = !slot;
    }
    return 0;
}

/* Copies the chunk in a slot to the host once it has arrived. */
static int finish_download(struct df_cuda_staging *staging, int slot, char *host, size_t bytes)
{
    DF_TRY(DF_CUDA(cudaEventSynchronize(staging->done[slot])));
    memcpy(host, staging->buffer[slot], bytes);
    return 0;
}

int df_cuda_download(struct df_backend *backend, void *host, const void *device, size_t bytes)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cuda_staging *staging = &context->staging;

    assert(!context->capturing);
    for (size_t offset = 0; offset < bytes; offset += DF_CUDA_STAGE_BYTES) {
        const int slot = staging->next;
        /* Uploads from this slot come before it in the stream. */
        DF_TRY(DF_CUDA(cudaMemcpyAsync(staging->buffer[slot], (const char *)device + offset,
                                       chunk_bytes(bytes, offset), cudaMemcpyDeviceToHost, context->stream)));
        DF_TRY(DF_CUDA(cudaEventRecord(staging->done[slot], context->stream)));
        staging->next = !slot;
        if (offset > 0)
            DF_TRY(finish_download(staging, !slot, (char *)host + offset - DF_CUDA_STAGE_BYTES,
                                   DF_CUDA_STAGE_BYTES));
    }
    if (bytes == 0)
        return 0;
    const size_t last = (bytes - 1) / DF_CUDA_STAGE_BYTES * DF_CUDA_STAGE_BYTES;
    return finish_download(staging, !staging->next, (char *)host + last, bytes - last);
}

int df_cuda_copy(struct df_backend *backend, void *destination, const void *source, size_t bytes)
{
    if (bytes == 0)
        return 0;
    return DF_CUDA(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyDeviceToDevice,
                                   df_cuda_context(backend)->stream));
}

int df_cuda_zero(struct df_backend *backend, void *memory, size_t bytes)
{
    if (bytes == 0)
        return 0;
    return DF_CUDA(cudaMemsetAsync(memory, 0, bytes, df_cuda_context(backend)->stream));
}

int df_cuda_wait(struct df_backend *backend)
{
    return DF_CUDA(cudaStreamSynchronize(df_cuda_context(backend)->stream));
}

int df_cuda_memory(struct df_backend *backend, struct df_memory_use *use)
{
    const struct df_cuda_context *context = df_cuda_context(backend);

    use->taken = context->allocated;
    use->most_taken = context->most_allocated;
    return DF_CUDA(cudaMemGetInfo(&use->available, &use->total));
}

void *df_cuda_buffer_grow(struct df_backend *backend, struct df_cuda_buffer *buffer, size_t bytes)
{
    struct df_cuda_context *context = df_cuda_context(backend);

    if (buffer->memory && bytes <= buffer->bytes)
        return buffer->memory;
    if (context->capturing) {
        df_error_set("a captured operation needs %zu bytes of scratch memory, there are %zu", bytes,
                     buffer->bytes);
        return NULL;
    }
    df_cuda_free(backend, buffer->memory);
    buffer->memory = df_cuda_alloc(backend, bytes);
    if (!buffer->memory)
        (void)df_error_context("an operation's scratch memory");
    buffer->bytes = buffer->memory ? bytes : 0;
    context->buffer_moves++;
    return buffer->memory;
}

void *df_cuda_scratch(struct df_backend *backend, size_t bytes)
{
    return df_cuda_buffer_grow(backend, &df_cuda_context(backend)->scratch, bytes);
}

void df_cuda_scratch_shrink(struct df_backend *backend, size_t bytes)
{
    struct df_cuda_buffer *scratch = &df_cuda_context(backend)->scratch;

    if (scratch->bytes <= bytes)
        return;
    df_cuda_free(backend, scratch->memory);
    *scratch = (struct df_cuda_buffer){NULL, 0};
    (void)df_cuda_buffer_grow(backend, scratch, bytes);
}
