#include "dinoft/backbone_file.h"

#include "dinov3_buffers.h"
#include "huggingface_config.h"
#include "names.h"
#include "onnx_names.h"
#include "qkv.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the backbone is among a file's names, and how it names its tensors. */
struct root {
    const char *prefix; /* not terminated: the first `length` characters of a name */
    size_t length;
    bool huggingface;
    enum df_scheme scheme;
};

static bool mentions(const char *text, size_t length, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= length; i++) {
        if (memcmp(text + i, word, size) == 0)
            return true;
    }
    return false;
}

/* If the name is the class token's, the prefix in front of the backbone's own names. */
static bool is_class_token(const char *name, struct root *root)
{
    static const char huggingface[] = "embeddings.cls_token", official[] = "cls_token";

    root->huggingface = df_text_ends_with(name, huggingface);
    if (!root->huggingface && !df_text_ends_with(name, official))
        return false;
    root->prefix = name;
    root->length = strlen(name) - strlen(root->huggingface ? huggingface : official);
    return root->length == 0 || name[root->length - 1] == '.';
}

/* Training checkpoints hold a student and a teacher; the teacher is the one that is released. */
static bool is_better(const struct root *a, const struct root *b)
{
    bool a_teacher = mentions(a->prefix, a->length, "teacher");
    bool b_teacher = mentions(b->prefix, b->length, "teacher");
    return a_teacher != b_teacher ? a_teacher : a->length < b->length;
}

/* The class token outside a student's names. false if there is none; *student tells whether there is a
 * student. */
static bool find_class_token(const struct df_state *state, struct root *best, bool *student)
{
    struct root root = {0};
    bool found = false;

    *student = false;
    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        if (entry->text || !is_class_token(entry->name, &root))
            continue;
        if (mentions(root.prefix, root.length, "student")) {
            *student = true;
            continue;
        }
        if (!found || is_better(&root, best))
            *best = root;
        found = true;
    }
    return found;
}

/* The name behind the prefix; NULL for a tensor that is not under it. */
static const char *name_under(const struct root *root, const struct df_entry *entry)
{
    if (entry->text || strncmp(entry->name, root->prefix, root->length) != 0)
        return NULL;
    return entry->name + root->length;
}

static int find_scheme(const struct df_state *state, struct root *root)
{
    bool dinov2 = false, dinov3 = false, gated = false;

    for (size_t i = 0; i < state->count; i++) {
        const char *name = name_under(root, &state->entries[i]);
        if (!name)
            continue;
        dinov2 |= strcmp(name, "embeddings.patch_embeddings.projection.weight") == 0;
        dinov3 |= strcmp(name, "embeddings.patch_embeddings.weight") == 0;
        gated |= strstr(name, ".mlp.gate_proj.") != NULL;
    }
    root->scheme = DF_SCHEME_OFFICIAL;
    if (!root->huggingface)
        return 0;
    if (dinov2 == dinov3)
        return df_error_set("not a backbone of DINOv2 or DINOv3: it has %.*sembeddings.cls_token, but no "
                            "embeddings.patch_embeddings[.projection].weight",
                            (int)root->length, root->prefix);
    root->scheme = dinov2 ? DF_SCHEME_HF_DINOV2 : gated ? DF_SCHEME_HF_DINOV3_GATED : DF_SCHEME_HF_DINOV3;
    return 0;
}

static int find_root(const struct df_state *state, struct root *root)
{
    bool student;
    if (find_class_token(state, root, &student))
        return find_scheme(state, root);
    if (student)
        return df_error_set("no backbone in it but a training run's student, expected a teacher");
    return df_error_set(
        "no backbone in it: none of its %zu tensors is called cls_token or embeddings.cls_token "
        "(the first is %s)",
        state->count, state->count ? state->entries[0].name : "none");
}

static enum df_name_kind translate(const struct root *root, const struct df_entry *entry,
                                   struct df_official_name *official)
{
    const char *name = name_under(root, entry);
    if (!name)
        return DF_NAME_FOREIGN;
    return root->scheme == DF_SCHEME_OFFICIAL ? df_name_from_official(name, official)
                                              : df_name_from_huggingface(name, root->scheme, official);
}

/* Joins all parts of the tensor called name; only the first part of it that is met leads here. */
static int join_parts(struct df_state *result, const struct df_state *state, const struct root *root,
                      const char *name)
{
    const struct df_entry *parts[DF_QKV_PARTS] = {NULL};
    struct df_official_name official;

    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        if (translate(root, entry, &official) != DF_NAME_KNOWN || official.part < 0 ||
            strcmp(official.text, name) != 0)
            continue;
        if (parts[official.part])
            return df_error_set("%s and %s are the same tensor", parts[official.part]->name, entry->name);
        parts[official.part] = entry;
    }
    return df_qkv_join(result, name, parts);
}

/* Hands a tensor over under its new name, with its bytes where the old state owned them. */
static int move_tensor(struct df_state *result, struct df_entry *entry, const char *name)
{
    const struct df_tensor *tensor = &entry->tensor;
    int ndim = tensor->ndim;
    int64_t shape[DF_MAX_DIMS];

    memcpy(shape, tensor->shape, sizeof shape);
    if (strcmp(name, "mask_token") == 0 && ndim == 3 &&
        shape[0] == 1) { /* [1, 1, D] in Hugging Face's DINOv3 */
        memmove(shape, shape + 1, 2 * sizeof shape[0]);
        ndim = 2;
    }
    struct df_entry *moved = df_state_borrow(result, name, tensor->dtype, ndim, shape, tensor->data);
    if (!moved)
        return -1;
    moved->owned = entry->owned;
    entry->owned = NULL;
    return 0;
}

static int collect(struct df_state *result, struct df_state *state, const struct root *root)
{
    struct df_official_name official;

    for (size_t i = 0; i < state->count; i++) {
        struct df_entry *entry = &state->entries[i];
        enum df_name_kind kind = translate(root, entry, &official);
        if (kind == DF_NAME_UNSUPPORTED)
            return df_error_set("%s belongs to no block of DINOv2 or DINOv3", entry->name);
        if (kind == DF_NAME_FOREIGN)
            continue;
        if (official.part < 0)
            DF_TRY(move_tensor(result, entry, official.text));
        else if (!df_state_find(result, official.text))
            DF_TRY(join_parts(result, state, root, official.text));
    }
    if (root->scheme == DF_SCHEME_HF_DINOV2 && !df_state_find(result, "pos_embed"))
        return df_onnx_join_pos_embed(result, state);
    return 0;
}

struct df_state *df_backbone_from_state(struct df_state *state, const char *path,
                                        struct df_vit_config *config)
{
    struct root root = {0};
    struct df_state *result = df_state_new();

    if (!result)
        goto fail;
    if (find_root(state, &root) != 0 || collect(result, state, &root) != 0 ||
        df_vit_config_read(result, config) != 0 || dinov3_add_buffers(result, config) != 0) {
        df_error_context("%s", path);
        goto fail;
    }
    if (root.huggingface && huggingface_config_check(path, result, config) != 0)
        goto fail;
    result->mapping = state->mapping;
    state->mapping = NULL;
    df_state_free(state);
    return result;
fail:
    df_state_free(result);
    df_state_free(state);
    return NULL;
}

struct df_state *df_backbone_read(const char *path, struct df_vit_config *config)
{
    struct df_state *state = df_weight_file_read(path, NULL);
    return state ? df_backbone_from_state(state, path, config) : NULL;
}

bool df_state_is_backbone(const struct df_state *state)
{
    struct root root = {0};
    bool student;
    return find_class_token(state, &root, &student) || student;
}
