/* The .pt / .pth files of torch.save since PyTorch 1.6: a zip archive with a pickle, ROOT/data.pkl, and one
 * entry ROOT/data/KEY for each storage (torch/serialization.py and torch/_utils.py are the format's only
 * description). */
#include "dinoft/weight_file.h"

#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/text.h"
#include "torch_globals.h"
#include "torch_tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOCATE_ALWAYS  ((uint64_t)64 << 20) /* bytes; and so many times the size of the file */
#define ALLOCATE_TIMES   16
#define PICKLE_BYTES_MAX ((uint64_t)16 << 20)
#define NAME_BYTES_MAX   1024
#define DEPTH_MAX        64
#define STEPS_MAX        (1 << 20)
#define TEXT_BYTES_MAX   PICKLE_BYTES_MAX
#define NO_NAME          SIZE_MAX

struct walk {
    struct df_torch_archive *archive;
    struct df_state *state;
    int steps;
    uint64_t text_bytes;       /* in all texts: a hostile file can name one text again and again */
    char name[NAME_BYTES_MAX]; /* of the value that is being looked at: the keys that lead to it */
};

/* torch.save before PyTorch 1.6 began with a pickle of this number. */
static int check_not_legacy(const struct df_mapping *mapping)
{
    static const unsigned char magic[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                          0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    if (mapping->size >= sizeof magic && memcmp(mapping->bytes, magic, sizeof magic) == 0)
        return df_error_set("written in the format of PyTorch before 1.6; rewrite it with a newer PyTorch: "
                            "torch.save(torch.load(OLD, map_location='cpu'), NEW)");
    return 0;
}

static const struct df_zip_entry *find_in_root(const struct df_torch_archive *archive, const char *name)
{
    char *path = df_text_format("%s/%s", archive->root, name);
    const struct df_zip_entry *entry = path ? df_zip_find(archive->zip, path) : NULL;
    free(path);
    return entry;
}

/* The one folder at the top that holds a data.pkl. */
static int find_root(struct df_torch_archive *archive)
{
    static const char ending[] = "/data.pkl";
    const size_t ending_length = sizeof ending - 1;

    for (size_t i = 0; i < archive->zip->count; i++) {
        const struct df_zip_entry *entry = &archive->zip->entries[i];
        if (entry->name_length <= ending_length)
            continue;
        size_t length = entry->name_length - ending_length;
        if (memcmp(entry->name + length, ending, ending_length) != 0 || memchr(entry->name, '/', length) ||
            memchr(entry->name, '\0', length))
            continue;
        if (archive->root)
            return df_error_set("not a PyTorch file: a zip archive with more than one FOLDER/data.pkl");
        archive->root = df_text_format("%.*s", (int)length, entry->name);
        if (!archive->root)
            return -1;
    }
    if (!archive->root)
        return df_error_set("not a PyTorch file: a zip archive without FOLDER/data.pkl");
    return 0;
}

static int check_kind(const struct df_torch_archive *archive)
{
    const struct df_zip_entry *entry = find_in_root(archive, "byteorder");
    if (find_in_root(archive, "constants.pkl"))
        return df_error_set(
            "a TorchScript archive, which holds a program; save the model's state_dict() instead");
    if (!entry)
        return 0;
    const void *bytes;
    void *owned;
    DF_TRY(df_zip_read(archive->zip, entry, NAME_BYTES_MAX, &bytes, &owned));
    bool little = entry->size == 6 && memcmp(bytes, "little", 6) == 0;
    free(owned);
    return little ? 0
                  : df_error_set("its byteorder is not \"little\"; save it again on a little-endian machine");
}

/* Writes the key behind the `at` characters of the name; *end is the new length, 0 if such a key names
 * nothing. */
static int append_key(struct walk *walk, size_t at, const struct df_pickle_value *key, size_t *end)
{
    char *text = walk->name + at;
    size_t left = sizeof walk->name - at;
    size_t length = 0;

    *end = NO_NAME;
    switch (key->kind) {
    case DF_PICKLE_TEXT:
        length = key->text.length;
        if (memchr(key->text.bytes, '\0', length))
            return df_error_set("a key with a NUL character");
        if (length < left) {
            memcpy(text, key->text.bytes, length);
            text[length] = '\0';
        }
        break;
    case DF_PICKLE_INT:
        length = (size_t)snprintf(text, left, "%" PRId64, key->integer);
        break;
    case DF_PICKLE_BOOL:
        length = (size_t)snprintf(text, left, "%s", key->integer ? "True" : "False");
        break;
    case DF_PICKLE_FLOAT:
        length = (size_t)snprintf(text, left, "%.17g", key->real);
        break;
    case DF_PICKLE_NONE:
        length = (size_t)snprintf(text, left, "None");
        break;
    default:
        return 0;
    }
    if (length >= left)
        return df_error_set("a key that is longer than %d bytes with those above it", NAME_BYTES_MAX - 1);
    *end = at + length;
    return 0;
}

static int add_text(struct walk *walk, const struct df_pickle_value *value)
{
    if (memchr(value->text.bytes, '\0', value->text.length)) {
        walk->state->ignored++; /* a C string cannot hold it */
        return 0;
    }
    walk->text_bytes += value->text.length;
    if (walk->text_bytes > TEXT_BYTES_MAX)
        return df_error_set("more than %" PRIu64 " bytes of text", TEXT_BYTES_MAX);
    char *text = malloc(value->text.length + 1);
    if (!text)
        return df_error_memory("a text", value->text.length + 1);
    memcpy(text, value->text.bytes, value->text.length);
    text[value->text.length] = '\0';
    const struct df_entry *entry = df_state_add_text(walk->state, walk->name, text);
    free(text);
    return entry ? 0 : -1;
}

static int walk_dict(struct walk *walk, const struct df_pickle_value *dict, size_t at, int depth);

/* The value whose name stands in walk->name, `length` characters. */
static int walk_value(struct walk *walk, const struct df_pickle_value *value, size_t length, int depth)
{
    switch (value->kind) {
    case DF_PICKLE_DICT:
        if (length + 1 >= sizeof walk->name)
            return df_error_set("a key that is longer than %d bytes with those above it", NAME_BYTES_MAX - 1);
        walk->name[length] = '.';
        return walk_dict(walk, value, length + 1, depth + 1);
    case DF_PICKLE_CALL:
        return df_torch_add_tensor(walk->archive, walk->state, walk->name, value);
    case DF_PICKLE_TEXT:
        return add_text(walk, value);
    default:
        walk->state->ignored++;
        return 0;
    }
}

/* The items of a dict; the first `at` characters of the name are the prefix of theirs. */
static int walk_dict(struct walk *walk, const struct df_pickle_value *dict, size_t at, int depth)
{
    if (depth > DEPTH_MAX)
        return df_error_set("dicts nested more than %d deep", DEPTH_MAX);
    for (size_t i = 0; i < dict->sequence.count; i += 2) {
        size_t end;
        if (walk->steps++ >= STEPS_MAX)
            return df_error_set("more than %d items", STEPS_MAX);
        DF_TRY(append_key(walk, at, dict->sequence.items[i], &end));
        if (end == NO_NAME)
            walk->state->ignored++;
        else
            DF_TRY(walk_value(walk, dict->sequence.items[i + 1], end, depth));
    }
    return 0;
}

static int walk_pickle(struct df_torch_archive *archive, struct df_state *state, const void *bytes,
                       size_t size)
{
    int status = -1;
    struct df_pickle *pickle = df_pickle_read(bytes, size, df_torch_globals);
    struct walk *walk = pickle ? calloc(1, sizeof *walk) : NULL;
    if (walk) {
        const struct df_pickle_value *root = df_pickle_root(pickle);
        walk->archive = archive;
        walk->state = state;
        if (root->kind == DF_PICKLE_DICT)
            status = walk_dict(walk, root, 0, 0);
        else
            df_error_set("holds a single %s, expected a dict of tensors",
                         root->kind == DF_PICKLE_CALL ? "tensor" : df_pickle_kind_name(root->kind));
    } else if (pickle) {
        df_error_memory("reading a pickle", sizeof *walk);
    }
    free(walk);
    df_pickle_free(pickle);
    return status;
}

static int read_pickle(struct df_torch_archive *archive, struct df_state *state)
{
    const struct df_zip_entry *entry = find_in_root(archive, "data.pkl");
    if (!entry)
        return -1; /* it was there a moment ago: no memory for its name, as the error text says */
    if (entry->size > PICKLE_BYTES_MAX)
        return df_error_set("its data.pkl has %" PRIu64 " bytes, at most %" PRIu64 " are allowed",
                            entry->size, PICKLE_BYTES_MAX);
    const void *bytes;
    void *owned;
    DF_TRY(df_zip_read(archive->zip, entry, PICKLE_BYTES_MAX, &bytes, &owned));
    int status = walk_pickle(archive, state, bytes, entry->size);
    free(owned);
    return status;
}

int df_torch_read(struct df_state *state)
{
    int status = -1;
    const struct df_mapping *mapping = state->mapping;
    /* A tensor may repeat its storage without end, and deflate may grow: what is allocated stays in
     * proportion. */
    const uint64_t fair = ALLOCATE_ALWAYS + ALLOCATE_TIMES * (uint64_t)mapping->size;
    struct df_torch_archive archive = {.budget = fair < DF_TORCH_ALLOCATE_MAX ? fair : DF_TORCH_ALLOCATE_MAX};

    DF_TRY(check_not_legacy(mapping));
    archive.zip = df_zip_open(mapping);
    if (!archive.zip)
        return -1;
    archive.storages = calloc(archive.zip->count + 1, sizeof *archive.storages);
    if (!archive.storages) {
        df_error_memory("the storages of an archive", (archive.zip->count + 1) * sizeof *archive.storages);
        goto done;
    }
    if (find_root(&archive) != 0 || check_kind(&archive) != 0)
        goto done;
    status = read_pickle(&archive, state);
done:
    for (size_t i = 0; archive.storages && i < archive.zip->count; i++)
        free(archive.storages[i].owned);
    free(archive.storages);
    free(archive.root);
    df_zip_close(archive.zip);
    return status;
}
