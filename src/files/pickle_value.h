/* Where the values of one pickle live. They are freed together, so that shared and circular ones need no
 * care. */
#ifndef FILES_PICKLE_VALUE_H
#define FILES_PICKLE_VALUE_H
#include "pickle.h"

/* More than any real checkpoint needs, little enough that a hostile one does no harm. */
#define DF_PICKLE_MEMORY_MAX ((size_t)256 << 20)

struct df_pickle_chunk;

struct df_pickle {
    struct df_pickle_chunk *chunks;
    size_t total; /* bytes in all chunks */
    const struct df_pickle_value *root;
};

/* A zeroed value of that kind; NULL with the error set at the memory limit. */
struct df_pickle_value *df_pickle_new_value(struct df_pickle *pickle, enum df_pickle_kind kind);

/* Reserves `count` items; those that are new are NULL. */
int df_pickle_reserve(struct df_pickle *pickle, struct df_pickle_items *items, size_t count);
int df_pickle_push(struct df_pickle *pickle, struct df_pickle_items *items, struct df_pickle_value *value);

#endif
