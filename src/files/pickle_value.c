#include "pickle_value.h"

#include "dinoft/error.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 << 10)

struct df_pickle_chunk {
    struct df_pickle_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

static int add_chunk(struct df_pickle *pickle, size_t size)
{
    if (size > DF_PICKLE_MEMORY_MAX - pickle->total)
        return df_error_set("pickle: its values need more than %zu MiB", DF_PICKLE_MEMORY_MAX >> 20);
    struct df_pickle_chunk *chunk = calloc(1, sizeof *chunk + size);
    if (!chunk)
        return df_error_memory("a pickle's values", size);
    chunk->size = size;
    chunk->next = pickle->chunks;
    pickle->chunks = chunk;
    pickle->total += size;
    return 0;
}

/* Zeroed memory that lives as long as the pickle. */
static void *take(struct df_pickle *pickle, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!pickle->chunks || size > pickle->chunks->size - pickle->chunks->used) {
        if (add_chunk(pickle, size > CHUNK_BYTES ? size : CHUNK_BYTES) != 0)
            return NULL;
    }
    struct df_pickle_chunk *chunk = pickle->chunks;
    void *memory = chunk->bytes + chunk->used;
    chunk->used += size;
    return memory;
}

void df_pickle_free(struct df_pickle *pickle)
{
    if (!pickle)
        return;
    for (struct df_pickle_chunk *chunk = pickle->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(pickle);
}

const struct df_pickle_value *df_pickle_root(const struct df_pickle *pickle)
{
    return pickle->root;
}

struct df_pickle_value *df_pickle_new_value(struct df_pickle *pickle, enum df_pickle_kind kind)
{
    struct df_pickle_value *value = take(pickle, sizeof *value);
    if (value)
        value->kind = kind;
    return value;
}

int df_pickle_reserve(struct df_pickle *pickle, struct df_pickle_items *items, size_t count)
{
    if (count <= items->capacity)
        return 0;
    size_t capacity = items->capacity ? items->capacity : 4;
    while (capacity < count && capacity <= DF_PICKLE_MEMORY_MAX)
        capacity *= 2;
    if (capacity > DF_PICKLE_MEMORY_MAX)
        return df_error_set("pickle: its values need more than %zu MiB", DF_PICKLE_MEMORY_MAX >> 20);
    struct df_pickle_value **grown = take(pickle, capacity * sizeof *grown);
    if (!grown)
        return -1;
    if (items->count)
        memcpy(grown, items->items, items->count * sizeof *grown);
    items->items = grown;
    items->capacity = capacity;
    return 0;
}

int df_pickle_push(struct df_pickle *pickle, struct df_pickle_items *items, struct df_pickle_value *value)
{
    DF_TRY(df_pickle_reserve(pickle, items, items->count + 1));
    items->items[items->count++] = value;
    return 0;
}

const char *df_pickle_kind_name(enum df_pickle_kind kind)
{
    static const char *const names[] = {
        [DF_PICKLE_NONE] = "None",     [DF_PICKLE_BOOL] = "bool",   [DF_PICKLE_INT] = "int",
        [DF_PICKLE_FLOAT] = "float",   [DF_PICKLE_TEXT] = "str",    [DF_PICKLE_BYTES] = "bytes",
        [DF_PICKLE_LIST] = "list",     [DF_PICKLE_TUPLE] = "tuple", [DF_PICKLE_DICT] = "dict",
        [DF_PICKLE_GLOBAL] = "global", [DF_PICKLE_CALL] = "object", [DF_PICKLE_PERSISTENT] = "storage",
    };
    return names[kind];
}
