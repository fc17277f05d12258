/* A JSON text cut into its parts without a tree of all: files of annotations have millions of numbers. Each
 * part is then parsed for itself, which finds what is malformed within. */
#ifndef DINOFT_DATA_ANNOTATIONS_JSON_SLICES_H
#define DINOFT_DATA_ANNOTATIONS_JSON_SLICES_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

struct df_slice {
    const char *text; /* NULL: there is none */
    size_t size;
};

/* Where one is among the members of an object or the elements of an array. */
struct df_slices {
    const char *at, *end;
    char close; /* '}' or ']' */
    bool begun;
};

/* Begins with what has to open with '{' or '['. -1 with the error set: it is something else. */
int df_slices_open(struct df_slices *slices, struct df_slice slice, char opening);

/* The next part; key is for objects: the name as it is written, without its quotes. 1: there it is; 0: no
 * more, and nothing but white space behind; -1 with the error set. */
int df_slices_next(struct df_slices *slices, struct df_slice *key, struct df_slice *value);

/* Whether a key is that name. */
bool df_slice_is(struct df_slice key, const char *name);

/* The tree of a part, to be freed with cJSON_Delete(); NULL with the error set. */
struct cJSON *df_slice_parse(struct df_slice slice);

#endif
