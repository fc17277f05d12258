/* The loss: that of training, with its gradient, and the plain one. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

void segmenter_plan_loss(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;

    segmenter->class_weights = segmenter->region = NULL;
    segmenter->hard_labels = NULL;
    if (!options->training)
        return;
    if (!df_loss_is_cross_entropy(&options->loss))
        segmenter->class_weights =
            df_arena_take(&segmenter->arena, "class weights", options->classes, DF_F32);
    if (options->loss.kind == DF_LOSS_OHEM)
        segmenter->hard_labels = df_arena_take(&segmenter->arena, "labels of hard pixels",
                                               segmenter_pixels(segmenter, options->max_batch), DF_U8);
    if (df_loss_has_region(&options->loss))
        segmenter->region =
            df_arena_take(&segmenter->arena, "sums of the loss", 2 * options->classes + 1, DF_F32);
}

int segmenter_start_loss(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;
    float weights[DF_MAX_CLASSES];
    double sum = 0.0;

    if (!segmenter->class_weights)
        return 0;
    for (int64_t i = 0; i < options->classes; i++) {
        weights[i] = options->loss.weighted ? options->loss.class_weights[i] : 1.0f;
        sum += (double)weights[i];
    }
    segmenter->loss_terms = (struct df_loss_terms){
        .class_weights = segmenter->class_weights,
        .weight_sum = (float)sum,
        .smoothing = (float)options->loss.smoothing,
        .gamma = options->loss.kind == DF_LOSS_FOCAL ? (float)options->loss.gamma : 0.0f,
        .pixel = df_loss_has_pixels(&options->loss) ? 1.0f : 0.0f,
        .region = segmenter->region,
    };
    return segmenter->backend->ops->upload(segmenter->backend, segmenter->class_weights, weights,
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

/* What is alone has no factor: AdamW would not notice. */
static float region_factor(const struct df_segmenter *segmenter)
{
    const struct df_loss_options *loss = &segmenter->options.loss;

    return df_loss_has_pixels(loss) ? (float)loss->region : 1.0f;
}

/* Only the hard ones keep their labels. */
static int choose_pixels(struct df_segmenter *segmenter, struct df_upsample_loss *work)
{
    const struct df_loss_options *loss = &segmenter->options.loss;

    DF_TRY(segmenter->backend->ops->hard_pixels(segmenter->backend, work, (float)loss->threshold,
                                                loss->least * work->batch, segmenter->hard_labels));
    work->labels = segmenter->hard_labels;
    return 0;
}

int segmenter_find_gradient(struct df_segmenter *segmenter, struct df_upsample_loss *work)
{
    work->labels = segmenter->labels;
    if (segmenter->hard_labels)
        DF_TRY(choose_pixels(segmenter, work));
    work->dlogits = segmenter->decoder->dlogits;
    work->terms = segmenter->class_weights ? &segmenter->loss_terms : NULL;
    if (segmenter->region)
        DF_TRY(segmenter->backend->ops->dice(segmenter->backend, work, region_factor(segmenter),
                                             segmenter->region));
    return segmenter->backend->ops->upsample_loss(segmenter->backend, work, segmenter->loss_scratch);
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
