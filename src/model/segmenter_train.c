/* A training step, and whether what it left can be saved. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdio.h>

int df_segmenter_backward(struct df_segmenter *segmenter, int64_t count)
{
    struct df_decoder *decoder = segmenter->decoder;

    DF_TRY(decoder->ops->backward(decoder, segmenter->features, count, segmenter->dfeatures));
    if (!df_trains_lora(&segmenter->options))
        return 0;
    return df_vit_backward(segmenter->vit, count, (const float *const *)segmenter->dfeatures);
}

struct part {
    struct df_segmenter *segmenter;
    int64_t count;
};

/* Loss and gradients of a part, on the device alone. */
static int forward_and_backward(void *argument)
{
    const struct part *part = argument;
    struct df_segmenter *segmenter = part->segmenter;
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, part->count);

    work.on_device = segmenter->optimizer.part_loss;
    DF_TRY(segmenter_run(segmenter, part->count, true));
    DF_TRY(segmenter_find_gradient(segmenter, &work));
    DF_TRY(df_segmenter_backward(segmenter, part->count));
    return optimizer_add_part(&segmenter->optimizer);
}

/* The graph of a part of so many images: the one that was captured, or else the slot that was not used. */
static struct df_graph **find_graph(struct df_segmenter *segmenter, int64_t count)
{
    int i = 0;

    while (i + 1 < DF_CAPTURED_STEPS && segmenter->captured[i].count != count &&
           segmenter->captured[i].count > 0)
        i++;
    if (segmenter->captured[i].count != count) {
        segmenter->backend->ops->graph_free(segmenter->backend, segmenter->captured[i].graph);
        segmenter->captured[i] = (struct df_captured_step){.count = count};
    }
    return &segmenter->captured[i].graph;
}

int df_segmenter_train_part(struct df_segmenter *segmenter, int64_t count, struct df_rng *rng)
{
    struct df_backend *backend = segmenter->backend;
    struct part part = {segmenter, count};

    DF_TRY(segmenter_begin_pass(segmenter, count, segmenter->optimizer.parts == 0 ? rng : NULL));
    DF_TRY(optimizer_begin_part(&segmenter->optimizer));
    return backend->ops->graph_replay(backend, find_graph(segmenter, count), forward_and_backward, &part);
}

int df_segmenter_update(struct df_segmenter *segmenter, double lr)
{
    return optimizer_update(&segmenter->optimizer, lr);
}

/* A NaN that was computed may have a sign, and would be printed as "-nan". */
static double plain(double value)
{
    return isnan(value) ? NAN : value;
}

int df_segmenter_step_result(struct df_segmenter *segmenter, struct df_step_result *result)
{
    struct df_step_outcome outcome;

    DF_TRY(optimizer_outcome(&segmenter->optimizer, &outcome));
    const double weight = outcome.loss.weight;
    *result = (struct df_step_result){.loss = weight > 0.0 ? plain(outcome.loss.sum / weight) : NAN,
                                      .counted = weight > 0.0 ? outcome.loss.count : 0,
                                      .gradient_norm = plain((double)outcome.scale.norm)};
    return 0;
}

int df_segmenter_train_step(struct df_segmenter *segmenter, int64_t count, double lr, struct df_rng *rng,
                            struct df_step_result *result)
{
    DF_TRY(df_segmenter_train_part(segmenter, count, rng));
    DF_TRY(df_segmenter_update(segmenter, lr));
    return df_segmenter_step_result(segmenter, result);
}

/* Those of the decoder come first in the backward pass. */
static int find_gradient(const struct df_segmenter *segmenter, const struct df_parameter **found)
{
    const struct df_optimizer *optimizer = &segmenter->optimizer;
    const float *gradients = optimizer->sums ? optimizer->sums : segmenter->parameters.gradients;

    return df_parameters_find_not_finite(&segmenter->parameters, segmenter->backend, gradients, true, found);
}

int df_segmenter_find_not_finite(struct df_segmenter *segmenter, int64_t count,
                                 char found[DF_NOT_FINITE_TEXT])
{
    const struct df_parameters *parameters = &segmenter->parameters;
    const struct df_parameter *value, *gradient;
    bool finite;

    DF_TRY(df_parameters_find_not_finite(parameters, segmenter->backend, parameters->values, false, &value));
    DF_TRY(segmenter_logits_are_finite(segmenter, count, &finite));
    DF_TRY(find_gradient(segmenter, &gradient));
    found[0] = '\0';
    if (value)
        snprintf(found, DF_NOT_FINITE_TEXT, "the parameter %s", value->name);
    else if (!finite)
        snprintf(found, DF_NOT_FINITE_TEXT, "the logits");
    else if (gradient)
        snprintf(found, DF_NOT_FINITE_TEXT, "the gradient of %s", gradient->name);
    return 0;
}

int df_segmenter_use_average(struct df_segmenter *segmenter, bool averaged)
{
    return optimizer_use_average(&segmenter->optimizer, averaged);
}

int df_segmenter_check_parameters(const struct df_segmenter *segmenter)
{
    return df_parameters_check(&segmenter->parameters, segmenter->backend);
}
