/* What every decoder plans in the same way. */
#include "decoder.h"

void df_decoder_plan_logits(struct df_decoder *decoder, struct df_arena *arena)
{
    int64_t count = decoder->shape.max_batch * decoder->logits_h * decoder->logits_w * decoder->shape.classes;
    decoder->logits = df_arena_take(arena, "logits", count, DF_F32);
    decoder->dlogits =
        decoder->shape.training ? df_arena_take(arena, "logits gradient", count, DF_F32) : NULL;
}
