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
#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#define MOST_CALLS 65536

/* glibc's own functions under the names that it keeps for those who take the public ones' place. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_bool counting, failing;
static atomic_long calls, kept, fallible, first_victim, last_victim;
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

/* The file's name, without its folders, of the code's object; "" if there is none. */
static const char *object_of(void *code, Dl_info *info)
{
    if (!dladdr(code, info) || !info->dli_fname)
        return "";
    const char *slash = strrchr(info->dli_fname, '/');
    return slash ? slash + 1 : info->dli_fname;
}

/* Whether the program hears of it when this caller finds no memory. */
static bool hands_failures_on(void *caller)
{
    static const char *const libraries[] = {"libc.",       "libcjson.", "libjpeg.",
                                            "liblapacke.", "libspng.",  "libz."};
    Dl_info program, info;
    const char *object = object_of(caller, &info);

    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        if (strncmp(object, libraries[i], strlen(libraries[i])) == 0)
            return true;
    }
    return *object && dladdr((void *)getauxval(AT_ENTRY), &program) && info.dli_fbase == program.dli_fbase;
}

/* Whether this call has to fail. */
static bool fails(void *caller)
{
    if (!failing || !hands_failures_on(caller))
        return false;
    const long n = atomic_fetch_add(&fallible, 1);
    if (n < first_victim || n > last_victim)
        return false;
    errno = ENOMEM;
    return true;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return fails(CALLER) ? NULL : noted(CALLER, size, __libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(CALLER) ? NULL : noted(CALLER, count * size, __libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    if (fails(CALLER))
        return NULL;
    if (!block)
        return noted(CALLER, size, __libc_realloc(NULL, size));
    note(CALLER, size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    return fails(CALLER) ? NULL : noted(CALLER, size, __libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(CALLER) ? NULL : noted(CALLER, size, __libc_memalign(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *found = fails(CALLER) ? NULL : noted(CALLER, size, __libc_memalign(alignment, size));
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

void allocations_fail(long n, long count)
{
    fallible = 0;
    first_victim = n;
    last_victim = count < LONG_MAX - n ? n + count - 1 : LONG_MAX;
    failing = true;
}

long allocations_end_failing(void)
{
    failing = false;
    return fallible;
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

void allocations_fail(long n, long count)
{
    (void)n;
    (void)count;
}

long allocations_end_failing(void)
{
    return 0;
}

#endif
