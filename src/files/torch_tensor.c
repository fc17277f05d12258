#include "torch_tensor.h"

#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "quote.h"
#include "torch_globals.h"

#include <stdlib.h>
#include <string.h>

struct layout {
    enum df_dtype dtype;
    const struct df_pickle_value *key; /* the storage's name */
    size_t storage_count, offset, count;
    int ndim;
    int64_t shape[DF_MAX_DIMS], strides[DF_MAX_DIMS];
};

static const struct df_pickle_value *argument(const struct df_pickle_value *tuple, size_t index,
                                              enum df_pickle_kind kind)
{
    if (index >= tuple->sequence.count || tuple->sequence.items[index]->kind != kind)
        return NULL;
    return tuple->sequence.items[index];
}

static bool read_count(const struct df_pickle_value *value, size_t *count)
{
    if (!value || value->integer < 0)
        return false;
    *count = (size_t)value->integer;
    return true;
}

/* A persistent id: ("storage", class, key, location, count, …). The location is where the storage was: of no
 * interest. */
static int read_storage_id(struct layout *layout, const struct df_pickle_value *value)
{
    const struct df_pickle_value *id = value->persistent;
    const struct df_pickle_value *word = NULL, *class = NULL;

    if (id->kind == DF_PICKLE_TUPLE) {
        word = argument(id, 0, DF_PICKLE_TEXT);
        class = argument(id, 1, DF_PICKLE_GLOBAL);
        layout->key = argument(id, 2, DF_PICKLE_TEXT);
    }
    if (!word || word->text.length != 7 || memcmp(word->text.bytes, "storage", 7) != 0 || !layout->key ||
        !class || class->global->id >= DF_DTYPE_COUNT ||
        !read_count(argument(id, 4, DF_PICKLE_INT), &layout->storage_count))
        return df_error_set("its storage is not described as PyTorch does it");
    layout->dtype = (enum df_dtype) class->global->id;
    return 0;
}

static int read_dimensions(const struct df_pickle_value *tuple, const char *what, int64_t *values, int *count)
{
    if (tuple->sequence.count > DF_MAX_DIMS)
        return df_error_set("%zu dimensions, at most %d are supported", tuple->sequence.count, DF_MAX_DIMS);
    *count = (int)tuple->sequence.count;
    for (int i = 0; i < *count; i++) {
        const struct df_pickle_value *value = argument(tuple, (size_t)i, DF_PICKLE_INT);
        if (!value || value->integer < 0)
            return df_error_set("%s %d is not a number from 0", what, i);
        values[i] = value->integer;
    }
    return 0;
}

/* The last element that the shape reaches must lie in the storage. */
static int check_extent(const struct layout *layout)
{
    size_t last = layout->offset;
    bool fits = true;
    for (int i = 0; i < layout->ndim && layout->count > 0; i++) {
        size_t span;
        fits = fits && df_size_mul((size_t)layout->shape[i] - 1, (size_t)layout->strides[i], &span) &&
               df_size_add(last, span, &last);
    }
    if (layout->count > 0 && (!fits || last >= layout->storage_count)) {
        char shape[DF_SHAPE_TEXT_MAX], strides[DF_SHAPE_TEXT_MAX];
        return df_error_set("shape %s with strides %s from element %zu leaves its storage of %zu elements",
                            df_shape_text(layout->shape, layout->ndim, shape),
                            df_shape_text(layout->strides, layout->ndim, strides), layout->offset,
                            layout->storage_count);
    }
    return 0;
}

/* _rebuild_tensor(storage, offset, shape, strides), _rebuild_tensor_v2 with three more that are of no
 * interest. */
static int read_layout(struct layout *layout, const struct df_pickle_value *arguments)
{
    const struct df_pickle_value *storage = argument(arguments, 0, DF_PICKLE_PERSISTENT);
    const struct df_pickle_value *shape = argument(arguments, 2, DF_PICKLE_TUPLE);
    const struct df_pickle_value *strides = argument(arguments, 3, DF_PICKLE_TUPLE);
    int n_strides = 0;

    if (!storage || !shape || !strides || !read_count(argument(arguments, 1, DF_PICKLE_INT), &layout->offset))
        return df_error_set("not described as PyTorch describes a tensor");
    DF_TRY(read_storage_id(layout, storage));
    DF_TRY(read_dimensions(shape, "dimension", layout->shape, &layout->ndim));
    DF_TRY(read_dimensions(strides, "stride", layout->strides, &n_strides));
    if (n_strides != layout->ndim)
        return df_error_set("%d dimensions, but %d strides", layout->ndim, n_strides);
    size_t bytes;
    if (!df_shape_count(layout->shape, layout->ndim, &layout->count) ||
        !df_size_mul(layout->count, df_dtype_size(layout->dtype), &bytes)) {
        char text[DF_SHAPE_TEXT_MAX];
        return df_error_set("the shape %s is impossible", df_shape_text(layout->shape, layout->ndim, text));
    }
    return check_extent(layout);
}

/* The bytes of the layout's storage; read and checked once, however many tensors share it. */
static const struct df_torch_storage *read_storage(struct df_torch_archive *archive,
                                                   const struct layout *layout)
{
    char key[DF_QUOTE_SIZE];
    df_quote(key, layout->key->text.bytes, layout->key->text.length);
    char *name = df_text_format("%s/data/%s", archive->root, key);
    if (!name)
        return NULL;
    const struct df_zip_entry *entry = df_zip_find(archive->zip, name);
    free(name);
    if (!entry) {
        df_error_set("its storage data/%s is not in the archive", key);
        return NULL;
    }
    size_t element = df_dtype_size(layout->dtype);
    if (entry->size % element != 0 || entry->size / element != layout->storage_count) {
        df_error_set("its storage data/%s has %llu bytes, expected %zu elements of %zu", key,
                     (unsigned long long)entry->size, layout->storage_count, element);
        return NULL;
    }
    struct df_torch_storage *storage = &archive->storages[entry - archive->zip->entries];
    if (!storage->bytes) {
        if (df_zip_read(archive->zip, entry, archive->budget, &storage->bytes, &storage->owned) != 0)
            return NULL;
        if (storage->owned)
            archive->budget -= entry->size;
    }
    return storage;
}

static bool is_row_major(const struct layout *layout)
{
    int64_t expected = 1;
    for (int i = layout->ndim - 1; i >= 0 && layout->count > 0; i--) {
        if (layout->shape[i] == 1) /* its stride is never used, and PyTorch leaves anything there */
            continue;
        if (layout->strides[i] != expected)
            return false;
        expected *= layout->shape[i];
    }
    return true;
}

/* Copies the elements that the strides name into row-major order. */
static void gather(unsigned char *destination, const unsigned char *source, const struct layout *layout)
{
    size_t element = df_dtype_size(layout->dtype);
    int64_t index[DF_MAX_DIMS] = {0};
    size_t at = 0;

    for (size_t i = 0; i < layout->count; i++) {
        memcpy(destination + i * element, source + at * element, element);
        for (int axis = layout->ndim - 1; axis >= 0; axis--) {
            at += (size_t)layout->strides[axis];
            if (++index[axis] < layout->shape[axis])
                break;
            at -= (size_t)layout->strides[axis] * (size_t)layout->shape[axis];
            index[axis] = 0;
        }
    }
}

/* A tensor that cannot stay where its storage is. */
static struct df_entry *add_copy(struct df_torch_archive *archive, struct df_state *state, const char *name,
                                 const struct layout *layout, const unsigned char *bytes)
{
    size_t size = layout->count * df_dtype_size(layout->dtype);
    if (size > archive->budget) {
        df_error_set(
            "%zu bytes more, with those of the tensors before it, are over the limit for a file of this size",
            size);
        return NULL;
    }
    archive->budget -= size;
    unsigned char *copy = malloc(size ? size : 1);
    if (!copy) {
        df_error_memory("a tensor", size);
        return NULL;
    }
    if (!is_row_major(layout))
        gather(copy, bytes, layout);
    else if (size)
        memcpy(copy, bytes, size);
    return df_state_adopt(state, name, layout->dtype, layout->ndim, layout->shape, copy);
}

static struct df_entry *add_tensor(struct df_torch_archive *archive, struct df_state *state, const char *name,
                                   const struct df_pickle_value *arguments)
{
    struct layout layout = {0};
    if (read_layout(&layout, arguments) != 0)
        return NULL;
    const struct df_torch_storage *storage = read_storage(archive, &layout);
    if (!storage)
        return NULL;
    const unsigned char *bytes = storage->bytes;
    if (layout.count > 0) /* the offset of an empty tensor may point anywhere */
        bytes += layout.offset * df_dtype_size(layout.dtype);
    if (!storage->owned && is_row_major(&layout))
        return df_state_borrow(state, name, layout.dtype, layout.ndim, layout.shape, bytes);
    return add_copy(archive, state, name, &layout, bytes);
}

int df_torch_add_tensor(struct df_torch_archive *archive, struct df_state *state, const char *name,
                        const struct df_pickle_value *call)
{
    bool is_parameter = call->call.function->id == DF_TORCH_REBUILD_PARAMETER;
    if (is_parameter) /* _rebuild_parameter(tensor, requires_grad, hooks) */
        call = argument(call->call.arguments, 0, DF_PICKLE_CALL);
    struct df_entry *entry = NULL;
    if (!call || call->call.function->id != DF_TORCH_REBUILD_TENSOR)
        df_error_set("a parameter that holds no tensor");
    else
        entry = add_tensor(archive, state, name, call->call.arguments);
    if (!entry) {
        char text[DF_QUOTE_SIZE];
        return df_error_context("%s", df_quote(text, name, strlen(name)));
    }
    entry->is_parameter = is_parameter;
    return 0;
}
