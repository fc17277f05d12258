/* A training step, and whether what it left can be saved. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <math.h>

#define WEIGHT_DECAY 0.01
#define BETA1        0.9
#define BETA2        0.999
#define ADAM_EPS     1e-8

int df_segmenter_backward(struct df_segmenter *segmenter, int64_t count)
{
    struct df_decoder *decoder = segmenter->decoder;

    DF_TRY(decoder->ops->backward(decoder, segmenter->features, count, segmenter->dfeatures));
    if (segmenter->options.rank == 0)
        return 0;
    return df_vit_backward(segmenter->vit, count, (const float *const *)segmenter->dfeatures);
}

int df_segmenter_update(struct df_segmenter *segmenter, double lr)
{
    struct df_parameters *parameters = &segmenter->parameters;
    struct df_adamw settings = {lr, BETA1, BETA2, ADAM_EPS, WEIGHT_DECAY, ++segmenter->steps};

    return segmenter->backend->ops->adamw(segmenter->backend, &settings, parameters->values,
                                          parameters->gradients, parameters->m, parameters->v,
                                          parameters->trained);
}

struct step {
    struct df_segmenter *segmenter;
    int64_t count;
};

/* Loss and gradients of a batch, on the device alone. */
static int forward_and_backward(void *argument)
{
    const struct step *step = argument;
    struct df_segmenter *segmenter = step->segmenter;
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, step->count);

    work.labels = segmenter->labels;
    work.dlogits = segmenter->decoder->dlogits;
    work.on_device = segmenter->loss;
    DF_TRY(segmenter_run(segmenter, step->count, true));
    DF_TRY(segmenter->backend->ops->upsample_loss(segmenter->backend, &work, segmenter->loss_scratch));
    return df_segmenter_backward(segmenter, step->count);
}

/* The graph of a step of so many images: the one that was captured, or else the slot that was not used. */
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

int df_segmenter_train_step(struct df_segmenter *segmenter, int64_t count, double lr, struct df_rng *rng,
                            double *loss, int64_t *counted)
{
    struct df_backend *backend = segmenter->backend;
    struct step step = {segmenter, count};
    struct df_loss_sum result;

    DF_TRY(segmenter_begin_pass(segmenter, rng));
    DF_TRY(backend->ops->graph_replay(backend, find_graph(segmenter, count), forward_and_backward, &step));
    DF_TRY(df_segmenter_update(segmenter, lr));
    /* Last, because it waits for all that comes before. */
    DF_TRY(backend->ops->download(backend, &result, segmenter->loss, sizeof result));
    *loss = result.count > 0 ? result.sum / (double)result.count : NAN;
    *counted = result.count;
    return 0;
}

int df_segmenter_check_parameters(const struct df_segmenter *segmenter)
{
    return df_parameters_check(&segmenter->parameters, segmenter->backend);
}
