#include "dinoft/state.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "quote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest backbone has about 700 tensors; names are searched one by one, so a hostile file must not bring
 * millions. */
#define MAX_ENTRIES 16384

struct df_state *df_state_new(void)
{
    struct df_state *state = calloc(1, sizeof *state);
    if (!state)
        df_error_memory("a state dict", sizeof *state);
    return state;
}

void df_state_free(struct df_state *state)
{
    if (!state)
        return;
    for (size_t i = 0; i < state->count; i++) {
        free(state->entries[i].name);
        free(state->entries[i].text);
        free(state->entries[i].owned);
    }
    free(state->entries);
    df_mapping_close(state->mapping);
    free(state);
}

const struct df_entry *df_state_find(const struct df_state *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->entries[i].name, name) == 0)
            return &state->entries[i];
    }
    return NULL;
}

static int reserve_one(struct df_state *state)
{
    if (state->count < state->capacity)
        return 0;
    if (state->count >= MAX_ENTRIES)
        return df_error_set("more than %d named tensors", MAX_ENTRIES);
    size_t capacity = state->capacity ? 2 * state->capacity : 64;
    struct df_entry *entries = realloc(state->entries, capacity * sizeof *entries);
    if (!entries)
        return df_error_memory("a state dict", capacity * sizeof *entries);
    state->entries = entries;
    state->capacity = capacity;
    return 0;
}

/* A zeroed entry with its name at the end of the list, not counted yet: the caller does that when it is
 * complete. */
static struct df_entry *new_entry(struct df_state *state, const char *name)
{
    if (df_state_find(state, name)) {
        char quoted[DF_QUOTE_SIZE];
        df_error_set("%s is there twice", df_quote(quoted, name, strlen(name)));
        return NULL;
    }
    if (reserve_one(state) != 0)
        return NULL;
    struct df_entry *entry = &state->entries[state->count];
    memset(entry, 0, sizeof *entry);
    entry->name = df_text_copy(name);
    return entry->name ? entry : NULL;
}

static int fill_tensor(struct df_tensor *tensor, const char *name, enum df_dtype dtype, int ndim,
                       const int64_t *shape)
{
    size_t bytes;
    char quoted[DF_QUOTE_SIZE];
    df_quote(quoted, name, strlen(name));

    if (ndim < 0 || ndim > DF_MAX_DIMS)
        return df_error_set("%s has %d dimensions, at most %d are supported", quoted, ndim, DF_MAX_DIMS);
    memset(tensor, 0, sizeof *tensor);
    tensor->dtype = dtype;
    tensor->ndim = ndim;
    for (int i = 0; i < ndim; i++)
        tensor->shape[i] = shape[i];
    if (!df_shape_count(shape, ndim, &tensor->count) ||
        !df_size_mul(tensor->count, df_dtype_size(dtype), &bytes)) {
        char text[DF_SHAPE_TEXT_MAX];
        return df_error_set("%s has the impossible shape %s", quoted, df_shape_text(shape, ndim, text));
    }
    return 0;
}

struct df_entry *df_state_borrow(struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                                 const int64_t *shape, const void *bytes)
{
    struct df_tensor tensor;
    if (fill_tensor(&tensor, name, dtype, ndim, shape) != 0)
        return NULL;
    struct df_entry *entry = new_entry(state, name);
    if (!entry)
        return NULL;
    entry->tensor = tensor;
    entry->tensor.data = bytes;
    state->count++;
    return entry;
}

struct df_entry *df_state_adopt(struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                                const int64_t *shape, void *bytes)
{
    struct df_entry *entry = df_state_borrow(state, name, dtype, ndim, shape, bytes);
    if (entry)
        entry->owned = bytes;
    else
        free(bytes);
    return entry;
}

struct df_entry *df_state_copy(struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                               const int64_t *shape, const void *bytes)
{
    struct df_tensor tensor;
    if (fill_tensor(&tensor, name, dtype, ndim, shape) != 0)
        return NULL;
    size_t size = tensor.count * df_dtype_size(dtype);
    void *copy = malloc(size ? size : 1);
    if (!copy) {
        df_error_memory(name, size);
        return NULL;
    }
    if (size)
        memcpy(copy, bytes, size);
    return df_state_adopt(state, name, dtype, ndim, shape, copy);
}

struct df_entry *df_state_add_text(struct df_state *state, const char *name, const char *text)
{
    char *copy = df_text_copy(text);
    struct df_entry *entry = copy ? new_entry(state, name) : NULL;
    if (!entry) {
        free(copy);
        return NULL;
    }
    entry->text = copy;
    state->count++;
    return entry;
}

char *df_shape_text(const int64_t *shape, int ndim, char *buffer)
{
    size_t used = 1;

    buffer[0] = '[';
    for (int i = 0; i < ndim; i++)
        used +=
            (size_t)snprintf(buffer + used, DF_SHAPE_TEXT_MAX - used, "%s%" PRId64, i ? ", " : "", shape[i]);
    snprintf(buffer + used, DF_SHAPE_TEXT_MAX - used, "]");
    return buffer;
}

/* What cannot be written as UTF-8 must not become a file that nobody can read. */
static int check_text(const char *what, const char *text)
{
    if (strlen(text) > UINT32_MAX)
        return df_error_set("a text of more than 4 GiB");
    if (!df_text_is_utf8(text, strlen(text)))
        return df_error_set("%s is not UTF-8", what);
    return 0;
}

int df_state_check_texts(const struct df_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        DF_TRY(check_text("the name of an entry", entry->name));
        if (entry->text)
            DF_TRY(check_text(entry->name, entry->text));
    }
    return 0;
}

static void add_to_digest(struct df_digest *digest, const struct df_entry *entry)
{
    const struct df_tensor *tensor = &entry->tensor;

    df_digest_add_text(digest, entry->name);
    df_digest_add_text(digest, entry->text ? entry->text : "");
    df_digest_add_number(digest, (uint64_t)tensor->dtype);
    df_digest_add_number(digest, (uint64_t)tensor->ndim);
    for (int d = 0; d < tensor->ndim; d++)
        df_digest_add_number(digest, (uint64_t)tensor->shape[d]);
    if (tensor->count > 0)
        df_digest_add(digest, tensor->data, tensor->count * df_dtype_size(tensor->dtype));
}

uint64_t df_state_digest(const struct df_state *state, const char *without)
{
    struct df_digest digest;

    df_digest_start(&digest);
    for (int texts = 0; texts < 2; texts++) { /* files keep the order of each kind alone */
        for (size_t i = 0; i < state->count; i++) {
            const struct df_entry *entry = &state->entries[i];
            if ((entry->text != NULL) == texts && !(without && strcmp(entry->name, without) == 0))
                add_to_digest(&digest, entry);
        }
    }
    return df_digest_value(&digest);
}
