/* What several decoders do in the same way. */
#include "decoder.h"

#include "dinoft/error.h"

#include <stdio.h>

int df_decoder_add_conv(struct df_decoder *decoder, const char *prefix, int64_t out, int64_t in,
                        int64_t kernel, bool bias)
{
    const int64_t shape[4] = {out, in, kernel, kernel}, fan_in = in * kernel * kernel;
    char name[64];

    snprintf(name, sizeof name, "%s.weight", prefix);
    DF_TRY(
        df_parameters_add(decoder->parameters, name, DF_PARAMETER_DECODER, DF_INIT_FAN_IN, fan_in, 4, shape));
    if (!bias)
        return 0;
    snprintf(name, sizeof name, "%s.bias", prefix);
    return df_parameters_add(decoder->parameters, name, DF_PARAMETER_DECODER, DF_INIT_FAN_IN, fan_in, 1,
                             &out);
}

int df_decoder_keep_grid(struct df_decoder *decoder, int64_t grid_h, int64_t grid_w)
{
    decoder->shape.grid_h = decoder->logits_h = grid_h;
    decoder->shape.grid_w = decoder->logits_w = grid_w;
    return 0;
}

void df_decoder_plan_logits(struct df_decoder *decoder, struct df_arena *arena)
{
    int64_t count = decoder->shape.max_batch * decoder->logits_h * decoder->logits_w * decoder->shape.classes;
    decoder->logits = df_arena_take(arena, "logits", count, DF_F32);
    decoder->dlogits =
        decoder->shape.training ? df_arena_take(arena, "logits gradient", count, DF_F32) : NULL;
}
