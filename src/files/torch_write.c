/* What torch.save writes for a dict: the same entries in the same order and, opcode by opcode, the same
 * pickle. */
#include "pickle.h"
#include "zip.h"
#include "pickle_opcodes.h"
#include "torch_globals.h"

#include "dinoft/weight_file.h"
#include "dinoft/atomic_write.h"
#include "dinoft/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETITEMS_BATCH 1000 /* as Python's own pickler */
#define ENTRY_NAME_MAX 64

/* The archive's folder. torch.save takes the file's name where it is given a path, and this word where it is
 * given a stream: then equal contents are equal bytes, whatever the file is called. */
#define ROOT "archive"

/* Where the pickle remembers what it needs again. A number of 0 says not yet: the dict itself has that one.
 */
struct pickler {
    struct df_pickle_writer out;
    unsigned names[DF_TORCH_DTYPE], storage_word, cpu_word;
    size_t n_storages;
};

static void put_name(struct pickler *p, int id)
{
    if (p->names[id]) {
        df_pickle_get(&p->out, p->names[id]);
        return;
    }
    const struct df_pickle_global *global = df_torch_global(id);
    df_pickle_name(&p->out, global->module, global->name);
    p->names[id] = df_pickle_memoize(&p->out);
}

static void put_word(struct pickler *p, unsigned *number, const char *word)
{
    if (*number) {
        df_pickle_get(&p->out, *number);
        return;
    }
    df_pickle_text(&p->out, word);
    *number = df_pickle_memoize(&p->out);
}

/* Applies an opcode that makes a new object, which Python's pickler always remembers. */
static void put_made(struct pickler *p, unsigned char opcode)
{
    df_pickle_op(&p->out, opcode);
    df_pickle_memoize(&p->out);
}

static void put_dimensions(struct pickler *p, const int64_t *values, int count)
{
    static const unsigned char opcodes[] = {0, PICKLE_TUPLE1, PICKLE_TUPLE2, PICKLE_TUPLE3};
    if (count == 0) {
        df_pickle_op(&p->out, PICKLE_EMPTY_TUPLE);
        return;
    }
    if (count > 3)
        df_pickle_op(&p->out, PICKLE_MARK);
    for (int i = 0; i < count; i++)
        df_pickle_int(&p->out, values[i]);
    put_made(p, count > 3 ? PICKLE_TUPLE : opcodes[count]);
}

static void put_storage(struct pickler *p, const struct df_tensor *tensor)
{
    char key[32];
    snprintf(key, sizeof key, "%zu", p->n_storages++);
    df_pickle_op(&p->out, PICKLE_MARK);
    put_word(p, &p->storage_word, "storage");
    put_name(p, (int)tensor->dtype);
    df_pickle_text(&p->out, key);
    df_pickle_memoize(&p->out);
    put_word(p, &p->cpu_word, "cpu");
    df_pickle_int(&p->out, (int64_t)tensor->count);
    put_made(p, PICKLE_TUPLE);
    df_pickle_op(&p->out, PICKLE_BINPERSID);
}

/* The hooks that every tensor is written with: none. */
static void put_empty_hooks(struct pickler *p)
{
    put_name(p, DF_TORCH_ORDERED_DICT);
    df_pickle_op(&p->out, PICKLE_EMPTY_TUPLE);
    put_made(p, PICKLE_REDUCE);
}

/* _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks) */
static void put_tensor(struct pickler *p, const struct df_tensor *tensor)
{
    int64_t strides[DF_MAX_DIMS], stride = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= tensor->shape[i] > 1 ? tensor->shape[i] : 1;
    }
    put_name(p, DF_TORCH_REBUILD_TENSOR);
    df_pickle_op(&p->out, PICKLE_MARK);
    put_storage(p, tensor);
    df_pickle_int(&p->out, 0);
    put_dimensions(p, tensor->shape, tensor->ndim);
    put_dimensions(p, strides, tensor->ndim);
    df_pickle_op(&p->out, PICKLE_NEWFALSE);
    put_empty_hooks(p);
    put_made(p, PICKLE_TUPLE);
    put_made(p, PICKLE_REDUCE);
}

/* _rebuild_parameter(tensor, requires_grad, hooks) */
static void put_parameter(struct pickler *p, const struct df_tensor *tensor)
{
    put_name(p, DF_TORCH_REBUILD_PARAMETER);
    put_tensor(p, tensor);
    df_pickle_op(&p->out, PICKLE_NEWTRUE);
    put_empty_hooks(p);
    put_made(p, PICKLE_TUPLE3);
    put_made(p, PICKLE_REDUCE);
}

static void put_item(struct pickler *p, const struct df_entry *entry)
{
    df_pickle_text(&p->out, entry->name);
    df_pickle_memoize(&p->out);
    if (entry->text) {
        df_pickle_text(&p->out, entry->text);
        df_pickle_memoize(&p->out);
    } else if (entry->is_parameter) {
        put_parameter(p, &entry->tensor);
    } else {
        put_tensor(p, &entry->tensor);
    }
}

static void put_state(struct pickler *p, const struct df_state *state)
{
    df_pickle_protocol(&p->out, 2);
    put_made(p, PICKLE_EMPTY_DICT);
    for (size_t start = 0; start < state->count; start += SETITEMS_BATCH) {
        size_t left = state->count - start;
        size_t batch = left < SETITEMS_BATCH ? left : SETITEMS_BATCH;
        if (state->count > 1)
            df_pickle_op(&p->out, PICKLE_MARK);
        for (size_t i = 0; i < batch; i++)
            put_item(p, &state->entries[start + i]);
        df_pickle_op(&p->out, state->count > 1 ? PICKLE_SETITEMS : PICKLE_SETITEM);
    }
    df_pickle_op(&p->out, PICKLE_STOP);
}

static int add(struct df_zip_writer *zip, const char *name, const void *bytes, size_t size)
{
    char path[ENTRY_NAME_MAX];
    if ((size_t)snprintf(path, sizeof path, ROOT "/%s", name) >= sizeof path)
        return df_error_set("the entry's name is too long");
    return df_zip_add(zip, path, bytes, size);
}

static int add_text(struct df_zip_writer *zip, const char *name, const char *text)
{
    return add(zip, name, text, strlen(text));
}

static int add_storages(struct df_zip_writer *zip, const struct df_state *state)
{
    size_t number = 0;
    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        char name[32];
        if (entry->text)
            continue;
        snprintf(name, sizeof name, "data/%zu", number++);
        DF_TRY(add(zip, name, entry->tensor.data, entry->tensor.count * df_dtype_size(entry->tensor.dtype)));
    }
    return 0;
}

static int add_all(struct df_zip_writer *zip, const struct df_state *state,
                   const struct df_pickle_writer *pickle)
{
    char digest[DF_ZIP_DIGEST_SIZE];
    DF_TRY(add(zip, "data.pkl", pickle->out.bytes, pickle->out.size));
    DF_TRY(add_text(zip, ".format_version", "1"));
    DF_TRY(add_text(zip, ".storage_alignment", "64"));
    DF_TRY(add_text(zip, "byteorder", "little"));
    DF_TRY(add_storages(zip, state));
    DF_TRY(add_text(zip, "version", "3\n"));
    df_zip_digest(zip, digest);
    DF_TRY(add_text(zip, ".data/serialization_id", digest));
    return df_zip_finish(zip);
}

static int write_archive(FILE *stream, const struct df_state *state)
{
    int status = -1;
    struct pickler pickler = {0};
    struct df_zip_writer *zip = df_zip_writer_new(stream, DF_ZIP64_FROM);
    if (!zip)
        return -1;
    put_state(&pickler, state);
    if (df_pickle_writer_check(&pickler.out) == 0)
        status = add_all(zip, state, &pickler.out);
    df_pickle_writer_clear(&pickler.out);
    df_zip_writer_free(zip);
    return status;
}

int df_torch_write(const char *path, const struct df_state *state)
{
    if (df_state_check_texts(state) != 0)
        return df_error_context("cannot write %s", path);
    struct df_atomic_file *file = df_atomic_open(path);
    if (!file)
        return -1;
    if (write_archive(df_atomic_stream(file), state) == 0)
        return df_atomic_commit(file);
    df_error_context("%s", path);
    df_atomic_abort(file);
    return -1;
}
