#include "dinoft/arena.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define ARENA_ALIGNMENT 64

void df_arena_init(struct df_arena *arena, struct df_backend *backend)
{
    memset(arena, 0, sizeof *arena);
    arena->backend = backend;
}

/* Bytes that count elements take, up to the next boundary. What no machine can address becomes SIZE_MAX. */
static size_t padded_bytes(int64_t count, enum df_dtype type)
{
    size_t bytes;

    assert(count >= 0);
    if (!df_size_mul((size_t)count, df_dtype_size(type), &bytes) ||
        !df_size_add(bytes, ARENA_ALIGNMENT - 1, &bytes))
        return SIZE_MAX;
    return bytes / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

/* Adds a buffer to those of its name. */
static void note_buffer(struct df_arena *arena, const char *name, size_t bytes)
{
    int i = 0;

    while (i < arena->n_items && i < DF_ARENA_MAX_ITEMS && strcmp(arena->items[i].name, name) != 0)
        i++;
    if (i == arena->n_items)
        arena->n_items++; /* beyond the limit as well, so that the commit sees it */
    if (i >= DF_ARENA_MAX_ITEMS)
        return;
    struct df_arena_item *item = &arena->items[i];
    item->name = name;
    item->count++;
    if (!df_size_add(item->bytes, bytes, &item->bytes))
        item->bytes = SIZE_MAX;
    item->largest = bytes > item->largest ? bytes : item->largest;
}

void *df_arena_take(struct df_arena *arena, const char *name, int64_t count, enum df_dtype type)
{
    size_t offset = arena->used;
    size_t bytes = padded_bytes(count, type);

    if (!df_size_add(offset, bytes, &arena->used))
        arena->used = SIZE_MAX; /* the commit will refuse it */
    if (arena->base) {
        assert(arena->used <= arena->peak && "the plan that is handed out is not the one that was counted");
        return arena->used <= arena->peak ? arena->base + offset : NULL;
    }
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    note_buffer(arena, name, bytes);
    return NULL;
}

size_t df_arena_mark(const struct df_arena *arena)
{
    return arena->used;
}

void df_arena_return(struct df_arena *arena, size_t mark)
{
    assert(mark <= arena->used);
    arena->used = mark;
}

static const struct df_arena_item *largest_item(const struct df_arena *arena)
{
    const struct df_arena_item *largest = &arena->items[0];

    for (int i = 1; i < arena->n_items; i++) {
        if (arena->items[i].largest > largest->largest)
            largest = &arena->items[i];
    }
    return largest;
}

static int allocate(struct df_arena *arena)
{
    assert(!arena->base);
    if (arena->n_items > DF_ARENA_MAX_ITEMS)
        return df_error_set("the memory plan has more than %d names of buffers", DF_ARENA_MAX_ITEMS);
    size_t bytes = arena->peak ? arena->peak : ARENA_ALIGNMENT; /* a plan may be empty */
    arena->base = arena->backend->ops->alloc(arena->backend, bytes);
    if (!arena->base) {
        const struct df_arena_item *largest = largest_item(arena);
        return df_error_context("the memory plan needs %zu bytes (the largest buffer is %s with %zu bytes)",
                                bytes, largest->name ? largest->name : "unnamed", largest->largest);
    }
    arena->allocated = bytes;
    return 0;
}

int df_arena_commit(struct df_arena *arena)
{
    DF_TRY(allocate(arena));
    arena->used = 0;
    return 0;
}

int df_arena_replace(struct df_arena *arena, struct df_arena *old, size_t keep)
{
    if (arena->peak <= old->allocated) {
        arena->base = old->base;
        arena->allocated = old->allocated;
        old->base = NULL;
    } else {
        DF_TRY(allocate(arena));
        DF_TRY(arena->backend->ops->copy(arena->backend, arena->base, old->base, keep));
    }
    df_arena_free(old);
    arena->used = 0;
    return 0;
}

void df_arena_free(struct df_arena *arena)
{
    if (arena->base)
        arena->backend->ops->free(arena->backend, arena->base);
    df_arena_init(arena, arena->backend);
}
