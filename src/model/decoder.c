#include "dinoft/decoder.h"

#include "dinoft/error.h"

#include <string.h>

static const struct df_decoder_ops *const decoders[] = {&df_decoder_linear, &df_decoder_fpn};

#define DECODERS (sizeof decoders / sizeof decoders[0])

const struct df_decoder_ops *df_decoder_named(const char *name)
{
    for (size_t i = 0; i < DECODERS; i++) {
        if (strcmp(decoders[i]->name, name) == 0)
            return decoders[i];
    }
    df_error_set("there is no decoder '%s' (linear, fpn)", name);
    return NULL;
}

const struct df_decoder_ops *df_decoder_of_checkpoint(const struct df_state *checkpoint, int64_t *classes,
                                                      int64_t *dim)
{
    for (size_t i = 0; i < DECODERS; i++) {
        const struct df_entry *last = df_state_find(checkpoint, decoders[i]->classes);
        const struct df_entry *first = df_state_find(checkpoint, decoders[i]->input);
        if (!last || !first || last->tensor.ndim != 4 || first->tensor.ndim != 4)
            continue;
        *classes = last->tensor.shape[0];
        *dim = first->tensor.shape[1];
        return decoders[i];
    }
    df_error_set("no decoder in the checkpoint: neither %s (linear) nor %s (FPN) is there",
                 df_decoder_linear.classes, df_decoder_fpn.classes);
    return NULL;
}

void df_decoder_plan_logits(struct df_decoder *decoder, struct df_arena *arena)
{
    int64_t count = decoder->shape.max_batch * decoder->logits_h * decoder->logits_w * decoder->shape.classes;
    decoder->logits = df_arena_take(arena, "logits", count, DF_F32);
    decoder->dlogits =
        decoder->shape.training ? df_arena_take(arena, "logits gradient", count, DF_F32) : NULL;
}
