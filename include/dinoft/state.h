/* A state dict: named tensors in file order, as PyTorch's, safetensors' and ONNX' readers return them.
 *
 * Nested dicts of a .pth are flattened with dots ("model" -> "cls_token" becomes "model.cls_token"). */
#ifndef DINOFT_STATE_H
#define DINOFT_STATE_H

#include "dinoft/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_MAX_DIMS 8

struct df_tensor {
    enum df_dtype dtype;
    int ndim; /* 0 for a scalar, which has one element */
    int64_t shape[DF_MAX_DIMS];
    size_t count;     /* elements: the product of shape */
    const void *data; /* row-major, contiguous; may be unaligned when it lies in a mapped file */
};

struct df_entry {
    char *name;
    struct df_tensor tensor; /* data == NULL and count == 0 for a text entry */
    char *text;        /* not NULL: a string beside the tensors (safetensors: an item of __metadata__) */
    bool is_parameter; /* .pt: written as an nn.Parameter */
    void *owned;       /* the tensor's bytes if the state owns them, else NULL (they lie in the mapping) */
};

struct df_mapping; /* a read-only mapped file, see dinoft/mapped_file.h */

struct df_state {
    struct df_entry *entries;
    size_t count, capacity;
    size_t ignored;             /* plain data other than strings that the reader met and left out */
    struct df_mapping *mapping; /* the file that tensors without `owned` lie in; may be NULL */
};

struct df_state *df_state_new(void);
void df_state_free(struct df_state *state);

/* NULL when there is none of that name; sets no error. */
const struct df_entry *df_state_find(const struct df_state *state, const char *name);

/* Each appends an entry; a name that is there already is an error. Returned pointers stay valid until the
 * next append. NULL on failure. `adopt` takes over bytes from malloc (freed with the state, and on failure);
 * `copy` copies them; `borrow` refers to bytes that outlive the state, in its mapping for instance. */
struct df_entry *df_state_adopt(struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                                const int64_t *shape, void *bytes);
struct df_entry *df_state_copy(struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                               const int64_t *shape, const void *bytes);
struct df_entry *df_state_borrow(struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                                 const int64_t *shape, const void *bytes);
struct df_entry *df_state_add_text(struct df_state *state, const char *name, const char *text);

/* -1 with the error set when a name or a text is not UTF-8 (or absurdly long): writers ask before they write.
 */
int df_state_check_texts(const struct df_state *state);

/* Of all names, types, shapes, elements and texts, but for those of the entry of that name; NULL: of all. It
 * is that of the file that the state is written to and read from. */
uint64_t df_state_digest(const struct df_state *state, const char *without);

/* "[3, 384]"; buffer holds at least DF_SHAPE_TEXT_MAX bytes and is returned. */
#define DF_SHAPE_TEXT_MAX 192
char *df_shape_text(const int64_t *shape, int ndim, char *buffer);

#endif
