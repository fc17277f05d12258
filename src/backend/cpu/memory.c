#include "cpu_backend.h"
#include "cpu_context.h"

#include "dinoft/available.h"
#include "dinoft/error.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64 /* a cache line and a vector register */

/* Buffers of this size and more are asked for in pages of it: a step streams through hundreds of megabytes,
 * and with pages of 4 KB looking them up takes a good part of the time. */
#define HUGE_PAGE (2u << 20)

/* Bytes that a thread copies at a time. */
#define COPY_CHUNK (256 * 1024)

void *df_cpu_alloc(struct df_backend *backend, size_t bytes)
{
    const size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    void *memory = NULL;

    (void)backend;
    if (bytes > PTRDIFF_MAX || posix_memalign(&memory, alignment, bytes ? bytes : 1) != 0) {
        df_error_memory("a buffer of the cpu backend", bytes);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE_PAGE)
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* a hint: it may fail */
#endif
    return memory;
}

void df_cpu_free(struct df_backend *backend, void *memory)
{
    (void)backend;
    free(memory);
}

int df_cpu_upload(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    return df_cpu_copy(backend, device, host, bytes);
}

int df_cpu_download(struct df_backend *backend, void *host, const void *device, size_t bytes)
{
    return df_cpu_copy(backend, host, device, bytes);
}

int df_cpu_copy(struct df_backend *backend, void *destination, const void *source, size_t bytes)
{
    if (bytes <= COPY_CHUNK) {
        if (bytes)
            memcpy(destination, source, bytes);
        return 0;
    }
#pragma omp parallel for num_threads(backend->threads)
    for (size_t first = 0; first < bytes; first += COPY_CHUNK) {
        const size_t rest = bytes - first;
        memcpy((char *)destination + first, (const char *)source + first,
               rest < COPY_CHUNK ? rest : COPY_CHUNK);
    }
    return 0;
}

int df_cpu_zero(struct df_backend *backend, void *memory, size_t bytes)
{
    (void)backend;
    if (bytes)
        memset(memory, 0, bytes);
    return 0;
}

int df_cpu_wait(struct df_backend *backend)
{
    (void)backend;
    return 0; /* operations return when they are done */
}

int df_cpu_memory(struct df_backend *backend, struct df_memory_use *use)
{
    (void)backend;
    *use = (struct df_memory_use){.available = df_available_memory(), .total = SIZE_MAX};
    return 0;
}

void *df_cpu_scratch(struct df_backend *backend, size_t bytes)
{
    struct df_cpu_context *context = df_cpu_context(backend);

    if (context->scratch && bytes <= context->scratch_bytes)
        return context->scratch;
    df_cpu_free(backend, context->scratch);
    context->scratch = df_cpu_alloc(backend, bytes);
    context->scratch_bytes = context->scratch ? bytes : 0;
    return context->scratch;
}

/* All that was asked for before is done. */
int df_cpu_fetch(struct df_backend *backend, int slot, const void *device, size_t bytes)
{
    assert(slot >= 0 && slot < DF_FETCH_SLOTS && bytes <= DF_FETCH_MOST);
    memcpy(df_cpu_context(backend)->fetched[slot], device, bytes);
    return 0;
}

int df_cpu_fetched(struct df_backend *backend, int slot, void *host, size_t bytes)
{
    assert(slot >= 0 && slot < DF_FETCH_SLOTS && bytes <= DF_FETCH_MOST);
    memcpy(host, df_cpu_context(backend)->fetched[slot], bytes);
    return 0;
}
