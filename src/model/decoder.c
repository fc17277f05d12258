#include "decoder.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <string.h>

static const struct df_decoder_ops *const decoders[] = {
    [DF_DECODER_LINEAR] = &df_decoder_linear,
    [DF_DECODER_MULTI] = &df_decoder_multi,
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

const char *df_head_text(const struct df_decoder_kind *kind, const struct df_head *head,
                         char text[DF_HEAD_TEXT])
{
    static const char *const layers[] = {DF_LAYERS(DF_CHOICE_TEXT)};

    if (df_decoder_takes_layers(kind->choice))
        snprintf(text, DF_HEAD_TEXT, "%s (%s blocks)", kind->name, layers[head->layers]);
    else
        snprintf(text, DF_HEAD_TEXT, "%s", kind->name);
    return text;
}

/* A tensor with four dimensions and something in it. */
static const struct df_tensor *find_weight(const struct df_state *checkpoint, const char *name)
{
    const struct df_entry *entry = df_state_find(checkpoint, name);
    return entry && entry->tensor.ndim == 4 && entry->tensor.count > 0 ? &entry->tensor : NULL;
}

const struct df_decoder_ops *df_decoder_of_checkpoint(const struct df_state *checkpoint, int64_t *classes,
                                                      int64_t *dim)
{
    char list[LIST_MAX];
    for (size_t i = 0; i < DECODERS; i++) {
        const struct df_tensor *last = find_weight(checkpoint, decoders[i]->classes);
        const struct df_tensor *first = find_weight(checkpoint, decoders[i]->input);
        if (!last || !first)
            continue;
        *classes = last->shape[0];
        *dim = first->shape[1] / decoders[i]->inputs;
        if (first->shape[1] % decoders[i]->inputs != 0) {
            df_error_set("%s reads %lld channels, which are not those of %d blocks", decoders[i]->input,
                         (long long)first->shape[1], decoders[i]->inputs);
            return NULL;
        }
        if (*classes <= DF_MAX_CLASSES)
            return decoders[i];
        df_error_set("%s is for %lld classes, at most %d are possible", decoders[i]->classes,
                     (long long)*classes, DF_MAX_CLASSES);
        return NULL;
    }
    df_error_set("no decoder in the checkpoint: none of %s is there", list_decoders(list, true));
    return NULL;
}
