#define _GNU_SOURCE /* dladdr */

#include "support/allocations.h"

#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_CALLS 65536

/* glibc's own functions under the names that it keeps for those who take the public ones' place. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_bool counting;
static atomic_long calls, kept;
static struct {
    void *caller;
    size_t bytes;
} seen[MOST_CALLS];

static void note(void *caller, size_t bytes)
{
    if (!counting)
        return;
    const long i = atomic_fetch_add(&calls, 1);
    if (i >= MOST_CALLS)
        return;
    seen[i].caller = caller;
    seen[i].bytes = bytes;
}

static void *noted(void *caller, size_t bytes, void *block)
{
    note(caller, bytes);
    if (counting && block)
        atomic_fetch_add(&kept, 1);
    return block;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return noted(CALLER, size, __libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return noted(CALLER, count * size, __libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return noted(CALLER, size, __libc_realloc(NULL, size));
    note(CALLER, size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    return noted(CALLER, size, __libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return noted(CALLER, size, __libc_memalign(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *found = noted(CALLER, size, __libc_memalign(alignment, size));
    if (!found)
        return ENOMEM;
    *block = found;
    return 0;
}

void free(void *block)
{
    if (counting && block)
        atomic_fetch_sub(&kept, 1);
    __libc_free(block);
}

bool allocations_can_be_counted(void)
{
    return true;
}

void allocations_start(void)
{
    calls = 0;
    kept = 0;
    counting = true;
}

static void count_call(struct allocations *counted, void *caller, size_t bytes)
{
    Dl_info info = {0};
    const char *object = dladdr(caller, &info) ? info.dli_fname : "an unknown object";

    if (strstr(object, "libdnnl") || strstr(object, "libstdc++")) {
        counted->onednn++;
        counted->onednn_bytes = bytes > counted->onednn_bytes ? bytes : counted->onednn_bytes;
    } else if (strstr(object, "libomp")) {
        counted->libomp++;
    } else if (counted->others++ == 0) {
        snprintf(counted->where, sizeof counted->where, "%zu bytes by %s (%s)", bytes,
                 info.dli_sname ? info.dli_sname : "an unnamed function", object);
    }
}

void allocations_stop(struct allocations *counted)
{
    counting = false;
    *counted = (struct allocations){.kept = kept};
    for (long i = 0; i < calls && i < MOST_CALLS; i++)
        count_call(counted, seen[i].caller, seen[i].bytes);
    if (calls > MOST_CALLS)
        counted->others += calls - MOST_CALLS;
}

#else

bool allocations_can_be_counted(void)
{
    return false;
}

void allocations_start(void)
{
}

void allocations_stop(struct allocations *counted)
{
    memset(counted, 0, sizeof *counted);
}

#endif
