/* The state of an open CPU backend. Private to src/backend/cpu.
 *
 * One thread at a time may call a backend's operations: they share a scratch buffer and oneDNN's memory
 * objects. They find the threads to work with themselves. */
#ifndef DINOFT_CPU_CONTEXT_H
#define DINOFT_CPU_CONTEXT_H

#include "onednn.h"

#include "dinoft/backend.h"

/* What a cached primitive does, and on which shapes; zero the whole of it before filling it in. */
struct df_primitive_key {
    int64_t kind; /* enum df_primitive_kind */
    int64_t dims[11];
};

enum df_primitive_kind {
    DF_KIND_LINEAR,
    DF_KIND_CONV, /* + pass */
    DF_KIND_CONV_REORDER = DF_KIND_CONV + 3,
};

/* Enough for every shape of a run; more only come up when the rows change from call to call without end. */
#define DF_PRIMITIVE_CACHE_SIZE 256

/* Layers of the same shape share a primitive: it holds code, never weights. */
struct df_primitive_cache {
    struct {
        struct df_primitive_key key;
        struct df_primitive *primitive;
        uint64_t last_use;
    } entries[DF_PRIMITIVE_CACHE_SIZE];
    int n_entries;
    uint64_t clock;
};

/* NULL when it is not there. */
struct df_primitive *df_primitive_cache_find(struct df_primitive_cache *cache,
                                             const struct df_primitive_key *key);

/* Hands the primitive (which may be NULL: nothing happens) to the cache, in the slot of the least recently
 * used one if the cache is full. Returns the primitive. */
struct df_primitive *df_primitive_cache_add(struct df_primitive_cache *cache,
                                            const struct df_primitive_key *key,
                                            struct df_primitive *primitive);
void df_primitive_cache_clear(struct df_primitive_cache *cache);

struct df_cpu_context {
    struct df_backend backend; /* first: its address is the context's */
    struct df_onednn onednn;
    struct df_primitive_cache cache;
    void *scratch;
    size_t scratch_bytes;
    char fetched[DF_FETCH_SLOTS][DF_FETCH_MOST];
};

static inline struct df_cpu_context *df_cpu_context(struct df_backend *backend)
{
    return (struct df_cpu_context *)backend;
}

/* Memory for the running operation, 64-byte aligned, contents undefined. Only ever grows, so that from the
 * second step on nothing is allocated. A second call invalidates what the first returned. NULL with the error
 * set. */
void *df_cpu_scratch(struct df_backend *backend, size_t bytes);

/* bytes rounded up so that what follows is aligned in a scratch buffer. */
static inline size_t df_cpu_aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
