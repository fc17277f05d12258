#include "decoder.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct df_decoder_ops *const decoders[] = {
    [DF_DECODER_LINEAR] = &df_decoder_linear,
    [DF_DECODER_MULTI] = &df_decoder_multi,
    [DF_DECODER_MLP] = &df_decoder_mlp,
    [DF_DECODER_FPN] = &df_decoder_fpn,
};

#define DECODERS (sizeof decoders / sizeof decoders[0])

#define LIST_MAX 256

/* "linear, fpn": a field of every decoder, for error texts. */
static const char *list_decoders(char list[LIST_MAX], bool tensors)
{
    size_t used = 0;
    for (size_t i = 0; i < DECODERS && used < LIST_MAX; i++)
        used += (size_t)snprintf(list + used, LIST_MAX - used, "%s%s", i ? ", " : "",
                                 tensors ? decoders[i]->classes : decoders[i]->kind.name);
    return list;
}

const struct df_decoder_ops *df_decoder_named(const char *name)
{
    char list[LIST_MAX];
    for (size_t i = 0; i < DECODERS; i++) {
        if (strcmp(decoders[i]->kind.name, name) == 0)
            return decoders[i];
    }
    df_error_set("there is no decoder '%s' (%s)", name, list_decoders(list, false));
    return NULL;
}

const struct df_decoder_kind *df_decoder_kind_named(const char *name)
{
    const struct df_decoder_ops *ops = df_decoder_named(name);
    return ops ? &ops->kind : NULL;
}

struct df_decoder *df_decoder_create(const struct df_decoder_ops *ops, struct df_backend *backend,
                                     const struct df_decoder_shape *shape, struct df_parameters *parameters)
{
    struct df_decoder *decoder = calloc(1, ops->size);

    if (!decoder) {
        df_error_memory("the decoder", ops->size);
        return NULL;
    }
    *decoder = (struct df_decoder){.ops = ops,
                                   .backend = backend,
                                   .shape = *shape,
                                   .parameters = parameters,
                                   .first = parameters->count};
    if (ops->set_grid(decoder, shape->grid_h, shape->grid_w) != 0 || ops->open(decoder) != 0) {
        df_decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

void df_decoder_free(struct df_decoder *decoder)
{
    if (decoder && decoder->ops->close)
        decoder->ops->close(decoder);
    free(decoder);
}

/* Adds a part of what is free: " (even blocks", ", BatchNorm". */
static void add_part(char text[DF_HEAD_TEXT], const char *part)
{
    const size_t used = strlen(text);

    snprintf(text + used, DF_HEAD_TEXT - used, "%s%s", strchr(text, '(') ? ", " : " (", part);
}

const char *df_head_text(const struct df_decoder_kind *kind, const struct df_head *head,
                         char text[DF_HEAD_TEXT])
{
    char dropout[48];

    snprintf(text, DF_HEAD_TEXT, "%s", kind->name);
    if (df_decoder_takes_layers(kind->choice))
        add_part(text, head->layers == DF_LAYERS_EVEN ? "even blocks" : "last blocks");
    if (head->norm == DF_HEAD_NORM_BN)
        add_part(text, "BatchNorm");
    if (head->norm == DF_HEAD_NORM_L2)
        add_part(text, "cosine");
    snprintf(dropout, sizeof dropout, "dropout %.12g", head->dropout);
    if (head->dropout > 0.0)
        add_part(text, dropout);
    if (strchr(text, '('))
        strcat(text, ")");
    return text;
}

/* A tensor with four dimensions and something in it. */
static const struct df_tensor *find_weight(const struct df_state *checkpoint, const char *name)
{
    const struct df_entry *entry = df_state_find(checkpoint, name);
    return entry && entry->tensor.ndim == 4 && entry->tensor.count > 0 ? &entry->tensor : NULL;
}

struct found {
    const struct df_tensor *classes, *input;
    enum df_head_norm norm;
};

/* What a checkpoint has of a decoder; false: nothing. */
static bool find_decoder(const struct df_decoder_ops *ops, const struct df_state *checkpoint,
                         struct found *found)
{
    char norm[64], classifier[64];

    snprintf(norm, sizeof norm, "%s.norm.weight", ops->kind.name);
    snprintf(classifier, sizeof classifier, "%s.classifier.weight", ops->kind.name);
    const bool has_norm = df_state_find(checkpoint, norm) && find_weight(checkpoint, classifier);
    found->classes = find_weight(checkpoint, has_norm ? classifier : ops->classes);
    found->input = find_weight(checkpoint, has_norm ? classifier : ops->input);
    found->norm = has_norm ? DF_HEAD_NORM_BN : DF_HEAD_NORM_NONE;
    return found->classes && found->input;
}

const struct df_decoder_ops *df_decoder_of_checkpoint(const struct df_state *checkpoint, int64_t *classes,
                                                      int64_t *dim, enum df_head_norm *norm)
{
    char list[LIST_MAX];
    struct found found;

    for (size_t i = 0; i < DECODERS; i++) {
        const struct df_decoder_ops *ops = decoders[i];
        if (!find_decoder(ops, checkpoint, &found))
            continue;
        const int64_t width = found.input->shape[1];
        *classes = found.classes->shape[0];
        *dim = width / ops->inputs;
        *norm = found.norm;
        if (width % ops->inputs == 0 && *classes <= DF_MAX_CLASSES)
            return ops;
        if (*classes > DF_MAX_CLASSES)
            df_error_set("%s is for %lld classes, at most %d are possible", ops->classes, (long long)*classes,
                         DF_MAX_CLASSES);
        else
            df_error_set("%s reads %lld channels, which are not those of %d blocks", ops->input,
                         (long long)width, ops->inputs);
        return NULL;
    }
    df_error_set("no decoder in the checkpoint: none of %s is there", list_decoders(list, true));
    return NULL;
}
