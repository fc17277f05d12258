/* From a batch to logits. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

int segmenter_run(struct df_segmenter *segmenter, int64_t count, bool training)
{
    if (segmenter->vit && !segmenter->features_loaded)
        DF_TRY(df_vit_forward(segmenter->vit, segmenter->image, count, training));
    if (!segmenter->decoder)
        return 0;
    return segmenter->decoder->ops->forward(segmenter->decoder, segmenter->features, count, training);
}

/* A step drops the same after --resume, and for each of its images the same whatever parts it has. */
static int draw_dropout(struct df_segmenter *segmenter, int64_t count)
{
    const struct df_optimizer *optimizer = &segmenter->optimizer;
    struct df_rng rng;

    if (optimizer->parts == 0)
        segmenter->images = 0;
    const int64_t first = segmenter->images;
    segmenter->images += count;
    df_rng_seed(&rng, segmenter->seed, df_hash_text("lora_dropout") + (uint64_t)optimizer->steps);
    return df_vit_draw_dropout(segmenter->vit, df_rng_u64(&rng), first);
}

/* Images of a step have the same draws whatever parts it is taken in, and a step the same after --resume. */
static int draw(struct df_segmenter *segmenter, int64_t count)
{
    struct df_decoder *decoder = segmenter->decoder;
    const struct df_optimizer *optimizer = &segmenter->optimizer;

    if (!decoder->ops->draw)
        return 0;
    if (optimizer->parts == 0)
        df_rng_seed(&segmenter->draws, segmenter->seed,
                    df_hash_text("head_dropout") + (uint64_t)optimizer->steps);
    return decoder->ops->draw(decoder, count, &segmenter->draws);
}

int segmenter_begin_pass(struct df_segmenter *segmenter, int64_t count, struct df_rng *rng)
{
    df_parameters_count_pass(&segmenter->parameters);
    if (segmenter->vit)
        DF_TRY(draw_dropout(segmenter, count));
    DF_TRY(draw(segmenter, count));
    return segmenter->vit && rng ? df_vit_rescale_rope(segmenter->vit, rng) : 0;
}

/* What is not finite stays so in a sum. One of finite logits overflows only where these are near to it. */
int segmenter_logits_are_finite(struct df_segmenter *segmenter, int64_t count, bool *finite)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t classes = segmenter->options.classes;
    const struct df_matrix logits = {segmenter->decoder->logits, DF_F32,
                                     segmenter_logit_count(segmenter, count) / classes, classes, classes};
    float sums[DF_MAX_CLASSES];

    DF_TRY(backend->ops->column_sum(backend, logits, segmenter->logit_sums));
    DF_TRY(backend->ops->download(backend, sums, segmenter->logit_sums, (size_t)classes * sizeof *sums));
    *finite = df_all_finite(sums, (size_t)classes);
    return 0;
}

static int check_logits(struct df_segmenter *segmenter, int64_t count)
{
    const char *path = segmenter->options.checkpoint_path;
    bool finite;

    DF_TRY(segmenter_logits_are_finite(segmenter, count, &finite));
    if (finite)
        return 0;
    df_error_set("the model's logits are not finite numbers: its weights are damaged, or too large");
    return path && !segmenter->options.training ? df_error_context("%s", path) : -1;
}

int df_segmenter_forward(struct df_segmenter *segmenter, int64_t count, bool training, struct df_rng *rng)
{
    if (training) {
        DF_TRY(segmenter_begin_pass(segmenter, count, rng));
        return segmenter_run(segmenter, count, true);
    }
    DF_TRY(segmenter_run(segmenter, count, false));
    return segmenter->decoder ? check_logits(segmenter, count) : 0;
}

struct df_logits df_segmenter_logits(const struct df_segmenter *segmenter, int64_t i)
{
    const struct df_decoder *decoder = segmenter->decoder;

    return (struct df_logits){decoder->logits + segmenter_logit_count(segmenter, i), decoder->logits_h,
                              decoder->logits_w};
}
