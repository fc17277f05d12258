/* The loss: that of training, with its gradient, and the plain one. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

/* What is computed before the pixels' loss, and added to it. */
static void plan_region(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_arena *arena = &segmenter->arena;
    struct df_loss_buffers *loss = &segmenter->loss;

    if (df_loss_has_pixels(options->loss.kind) && !df_loss_has_both(options->loss.kind))
        return;
    loss->more = df_arena_take(arena, "loss of the batch", 1, DF_F32);
    if (df_loss_has_dice(options->loss.kind))
        loss->region = df_arena_take(arena, "slopes of the loss", 2 * options->classes, DF_F32);
    if (!df_loss_has_lovasz(options->loss.kind))
        return;
    loss->slopes =
        df_arena_take(arena, "slopes of the loss", segmenter_pixels(segmenter, options->max_batch), DF_F32);
    loss->gradient = df_arena_take(arena, "gradient of the batch's loss",
                                   segmenter_logit_count(segmenter, options->max_batch), DF_F32);
}

void segmenter_plan_class_weights(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;

    if (options->training && !df_loss_is_cross_entropy(&options->loss))
        segmenter->loss.class_weights =
            df_arena_take(&segmenter->arena, "class weights", options->classes, DF_F32);
}

void segmenter_plan_loss(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_arena *arena = &segmenter->arena;
    struct df_loss_buffers *loss = &segmenter->loss;

    if (!options->training)
        return;
    loss->scratch = df_arena_take(arena, "loss partial gradients",
                                  2 * segmenter_logit_count(segmenter, options->max_batch), DF_F32);
    if (options->loss.kind == DF_LOSS_OHEM)
        loss->hard_labels = df_arena_take(arena, "labels of hard pixels",
                                          segmenter_pixels(segmenter, options->max_batch), DF_U8);
    plan_region(segmenter);
}

int segmenter_start_loss(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;
    float weights[DF_MAX_CLASSES];
    double sum = 0.0;

    if (!segmenter->loss.class_weights)
        return 0;
    for (int64_t i = 0; i < options->classes; i++) {
        weights[i] = options->loss.weighted ? options->loss.class_weights[i] : 1.0f;
        sum += (double)weights[i];
    }
    segmenter->loss.terms = (struct df_loss_terms){
        .class_weights = segmenter->loss.class_weights,
        .weight_sum = (float)sum,
        .smoothing = (float)options->loss.smoothing,
        .gamma = options->loss.kind == DF_LOSS_FOCAL ? (float)options->loss.gamma : 0.0f,
        .pixel = df_loss_has_pixels(options->loss.kind) ? 1.0f : 0.0f,
        .region = segmenter->loss.region,
        .more = segmenter->loss.more,
        .slopes = segmenter->loss.slopes,
        .gradient = segmenter->loss.gradient,
    };
    return segmenter->backend->ops->upload(segmenter->backend, segmenter->loss.class_weights, weights,
                                           (size_t)options->classes * sizeof *weights);
}

struct df_upsample_loss segmenter_describe_loss(const struct df_segmenter *segmenter, int64_t count)
{
    const struct df_decoder *decoder = segmenter->decoder;

    return (struct df_upsample_loss){
        .batch = count,
        .h = decoder->logits_h,
        .w = decoder->logits_w,
        .classes = decoder->shape.classes,
        .height = segmenter->options.height,
        .width = segmenter->options.width,
        .logits = decoder->logits,
    };
}

/* The loss of all pixels. What is alone has no factor: AdamW would not notice. */
static int find_region(struct df_segmenter *segmenter, const struct df_upsample_loss *work)
{
    const struct df_loss_options *options = &segmenter->options.loss;
    const struct df_loss_buffers *loss = &segmenter->loss;
    const struct df_backend_ops *ops = segmenter->backend->ops;
    const float factor = df_loss_has_both(options->kind) ? (float)options->region : 1.0f;

    if (df_loss_has_dice(options->kind))
        return ops->dice(segmenter->backend, work, factor, loss->region, loss->more);
    if (df_loss_has_lovasz(options->kind))
        return ops->lovasz(segmenter->backend, work, factor, loss->slopes, loss->gradient, loss->more);
    return 0;
}

/* Only the hard ones keep their labels. */
static int choose_pixels(struct df_segmenter *segmenter, struct df_upsample_loss *work)
{
    const struct df_loss_options *loss = &segmenter->options.loss;

    DF_TRY(segmenter->backend->ops->hard_pixels(segmenter->backend, work, (float)loss->threshold,
                                                loss->least * work->batch, segmenter->loss.hard_labels));
    work->labels = segmenter->loss.hard_labels;
    return 0;
}

int segmenter_find_gradient(struct df_segmenter *segmenter, struct df_upsample_loss *work)
{
    work->labels = segmenter->labels;
    if (segmenter->loss.hard_labels)
        DF_TRY(choose_pixels(segmenter, work));
    work->dlogits = segmenter->decoder->dlogits;
    work->terms = segmenter->loss.class_weights ? &segmenter->loss.terms : NULL;
    DF_TRY(find_region(segmenter, work));
    return segmenter->backend->ops->upsample_loss(segmenter->backend, work, segmenter->loss.scratch);
}

int df_segmenter_loss(struct df_segmenter *segmenter, int64_t count, bool gradient, bool prediction,
                      double *loss_sum, int64_t *loss_count)
{
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, count);

    work.prediction = prediction ? segmenter->prediction : NULL;
    work.labels = loss_sum ? segmenter->labels : NULL;
    if (gradient)
        DF_TRY(segmenter_find_gradient(segmenter, &work));
    else
        DF_TRY(segmenter->backend->ops->upsample_loss(segmenter->backend, &work, NULL));
    if (loss_sum)
        *loss_sum = work.loss.sum;
    if (loss_count)
        *loss_count = work.loss.count;
    return 0;
}
