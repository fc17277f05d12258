#include "cpu_backend.h"

#include "dinoft/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64 /* a cache line and a vector register */

void *df_cpu_alloc(struct df_backend *backend, size_t bytes)
{
    void *memory = NULL;

    (void)backend;
    if (bytes > PTRDIFF_MAX || posix_memalign(&memory, ALIGNMENT, bytes ? bytes : 1) != 0) {
        df_error_memory("a buffer of the cpu backend", bytes);
        return NULL;
    }
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
    (void)backend;
    if (bytes)
        memcpy(destination, source, bytes);
    return 0;
}

int df_cpu_zero(struct df_backend *backend, void *memory, size_t bytes)
{
    (void)backend;
    if (bytes)
        memset(memory, 0, bytes);
    return 0;
}
