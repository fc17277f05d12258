/* The parts of a model, made and freed. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>

static int create_vit(struct df_segmenter *segmenter, const struct df_state *backbone,
                      const struct df_vit_config *config, const struct df_state *checkpoint)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_vit_options vit = {
        .max_batch = options->max_batch,
        .height = options->height,
        .width = options->width,
        .n_features = segmenter->n_features,
        .layers = options->head.layers,
        .class_tokens = options->class_tokens,
        .lora = df_trains_lora(options) && options->training ? &segmenter->lora : NULL,
        .fold = options->training && !options->merged ? NULL : checkpoint,
        .training = options->training,
        .recompute = options->recompute,
        .lora_dropout = options->lora_dropout,
        .rope_rescale = options->rope_rescale,
    };
    vit.path = options->backbone_path;
    segmenter->vit = df_vit_create(segmenter->backend, backbone, config, &vit);
    return segmenter->vit ? 0 : -1;
}

static int add_lora(struct df_segmenter *segmenter, const struct df_vit_config *config)
{
    const struct df_segmenter_options *options = &segmenter->options;

    if (options->rank == 0)
        return 0;
    return df_lora_add_parameters(&segmenter->lora, &segmenter->parameters, config, options->rank,
                                  &options->lora, options->training && options->merged);
}

static int create_decoder(struct df_segmenter *segmenter, const struct df_vit_config *config,
                          const struct df_decoder_ops *ops)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_decoder_shape shape = {
        .dim = config->dim,
        .classes = options->classes,
        .grid_h = options->height / config->patch,
        .grid_w = options->width / config->patch,
        .patch = config->patch,
        .max_batch = options->max_batch,
        .training = options->training,
        .head = options->head,
    };
    segmenter->decoder = df_decoder_create(ops, segmenter->backend, &shape, &segmenter->parameters);
    return segmenter->decoder ? 0 : -1;
}

struct df_segmenter *segmenter_make(struct df_backend *backend, const struct df_state *backbone,
                                    const struct df_vit_config *config,
                                    const struct df_segmenter_options *options,
                                    const struct df_state *checkpoint)
{
    const struct df_decoder_ops *ops = options->decoder ? df_decoder_named(options->decoder) : NULL;
    if (options->decoder && !ops)
        return NULL;
    struct df_segmenter *segmenter = calloc(1, sizeof *segmenter);
    if (!segmenter) {
        df_error_memory("a model", sizeof *segmenter);
        return NULL;
    }
    segmenter->backend = backend;
    segmenter->options = *options;
    segmenter->config = *config;
    segmenter->options.rank = ops ? options->rank : 0;
    segmenter->optimizer = (struct df_optimizer){
        .options = options->optimizer, .backend = backend, .parameters = &segmenter->parameters};
    segmenter->n_features = ops ? ops->kind.n_features : options->n_features;
    df_arena_init(&segmenter->arena, backend);

    assert(!options->features_given || (ops && !df_trains_lora(options) && !options->packed));
    assert(ops || (!options->training && !options->packed));
    if ((options->packed && segmenter_lay_out_block(segmenter) != 0) || add_lora(segmenter, config) != 0 ||
        (!options->features_given && create_vit(segmenter, backbone, config, checkpoint) != 0) ||
        (ops && create_decoder(segmenter, config, ops) != 0)) {
        df_segmenter_free(segmenter);
        return NULL;
    }
    segmenter_take_memory(segmenter);
    return segmenter;
}

void segmenter_drop_graphs(struct df_segmenter *segmenter)
{
    for (int i = 0; i < DF_CAPTURED_STEPS; i++) {
        segmenter->backend->ops->graph_free(segmenter->backend, segmenter->captured[i].graph);
        segmenter->captured[i] = (struct df_captured_step){0};
    }
}

void df_segmenter_free(struct df_segmenter *segmenter)
{
    if (!segmenter)
        return;
    segmenter_drop_graphs(segmenter);
    optimizer_free(&segmenter->optimizer);
    df_decoder_free(segmenter->decoder);
    df_vit_free(segmenter->vit);
    segmenter->backend->ops->free(segmenter->backend, segmenter->resized);
    df_arena_free(&segmenter->arena);
    df_lora_free(&segmenter->lora);
    df_parameters_free(&segmenter->parameters);
    free(segmenter);
}
