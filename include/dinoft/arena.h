/* Device memory that is planned once: the same code runs twice, first to count, then to hand out.
 *
 *     df_arena_init(&arena, backend);
 *     plan(&model, &arena);          // counts; the pointers it hands out are NULL
 *     df_arena_commit(&arena);       // one allocation
 *     plan(&model, &arena);          // the same calls now get memory
 *
 * What is taken after a mark is given back by returning to it, so scratch buffers of different phases share
 * memory. */
#ifndef DINOFT_ARENA_H
#define DINOFT_ARENA_H

#include "dinoft/backend.h"

#define DF_ARENA_MAX_ITEMS 64

/* All buffers of one name, of however many blocks. */
struct df_arena_item {
    const char *name; /* a string that outlives the arena */
    int64_t count;
    size_t bytes, largest; /* together, which may be more than the peak where phases share memory; of one */
};

struct df_arena {
    struct df_backend *backend;
    char *base; /* NULL while counting */
    size_t used, peak, allocated;
    struct df_arena_item items[DF_ARENA_MAX_ITEMS]; /* the plan, in the order of the names' first buffers */
    int n_items;                                    /* may exceed the limit, which the commit refuses */
};

void df_arena_init(struct df_arena *arena, struct df_backend *backend);

/* Memory for count elements, 64-byte aligned. NULL while counting. */
void *df_arena_take(struct df_arena *arena, const char *name, int64_t count, enum df_dtype type);

size_t df_arena_mark(const struct df_arena *arena);
void df_arena_return(struct df_arena *arena, size_t mark);

/* Allocates what was counted and starts handing out. -1 when the device has not as much, the text naming the
 * need. */
int df_arena_commit(struct df_arena *arena);
/* Instead of the commit, where the arena counted a new plan: takes over the memory of `old`, whose plan is no
 * longer needed, if it is enough, or else allocates. The first `keep` bytes stay as they are. -1 with the
 * error set; then both arenas have to be freed. */
int df_arena_replace(struct df_arena *arena, struct df_arena *old, size_t keep);
void df_arena_free(struct df_arena *arena);

#endif
