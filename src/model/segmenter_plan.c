/* The device memory that the model takes, in the arena's two passes. */
#include "segmenter_internal.h"

#include <assert.h>

int segmenter_lay_out_block(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;

    assert(segmenter->backend->resizes);
    return df_packed_layout_init(&segmenter->packing, options->max_batch, options->height, options->width);
}

/* One buffer for each map that the decoder reads, or for its gradient. */
static void plan_features(struct df_segmenter *segmenter, float *features[], const char *name)
{
    for (int i = 0; i < segmenter->n_features; i++)
        features[i] = df_arena_take(&segmenter->arena, name,
                                    segmenter_feature_count(segmenter, segmenter->options.max_batch), DF_F32);
}

static void plan_backbone(struct df_segmenter *segmenter)
{
    struct df_arena *arena = &segmenter->arena;
    int64_t all = segmenter_pixels(segmenter, segmenter->options.max_batch);

    segmenter->pixels = df_arena_take(arena, "pixels", 3 * all, DF_U8);
    segmenter->image = df_arena_take(arena, "normalised image", 3 * all, DF_F32);
    if (segmenter->options.packed)
        segmenter->incoming =
            df_arena_take(arena, "images as they were decoded", (int64_t)segmenter->packing.bytes, DF_U8);
    df_vit_plan(segmenter->vit, arena);
    for (int i = 0; i < segmenter->n_features; i++)
        segmenter->features[i] = df_vit_feature(segmenter->vit, i);
}

/* What is trained, and what logits are compared with and become. */
static void plan_results(struct df_segmenter *segmenter)
{
    struct df_arena *arena = &segmenter->arena;
    const struct df_segmenter_options *options = &segmenter->options;
    int64_t all = segmenter_pixels(segmenter, options->max_batch);

    df_parameters_plan(&segmenter->parameters, arena, options->training);
    if (options->training)
        optimizer_plan(&segmenter->optimizer, arena, options->accumulates);
    segmenter_plan_class_weights(segmenter);
    segmenter->parameter_bytes = df_arena_mark(arena);
    segmenter->labels = df_arena_take(arena, "labels", all, DF_U8);
    segmenter->prediction = df_arena_take(arena, "prediction", all, DF_U8);
    segmenter->sigmoid_prediction = df_arena_take(arena, "prediction", segmenter_pixels(segmenter, 1), DF_U8);
    segmenter->logit_sums = df_arena_take(arena, "sums of logits", options->classes, DF_F32);
}

static void plan_decoder(struct df_segmenter *segmenter)
{
    struct df_arena *arena = &segmenter->arena;
    const struct df_segmenter_options *options = &segmenter->options;

    segmenter->decoder->ops->plan(segmenter->decoder, arena);
    segmenter_plan_loss(segmenter);
    if (!options->training)
        return;
    if (df_trains_lora(options))
        plan_features(segmenter, segmenter->dfeatures, "patch token gradient");
}

void segmenter_take_memory(struct df_segmenter *segmenter)
{
    if (segmenter->decoder)
        plan_results(segmenter);
    if (segmenter->options.features_given)
        plan_features(segmenter, segmenter->features, "patch tokens");
    else
        plan_backbone(segmenter);
    if (segmenter->decoder)
        plan_decoder(segmenter);
}
