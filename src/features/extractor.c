#include "dinoft/extractor.h"

struct df_segmenter *df_extractor_open(const struct df_setup *setup, int64_t max_batch, int n_features,
                                       enum df_layers layers, bool class_tokens)
{
    struct df_segmenter_options options = setup->model;

    options.decoder = NULL;
    options.recompute = false;
    options.n_features = n_features;
    options.head = (struct df_head){.layers = layers};
    options.class_tokens = class_tokens;
    options.max_batch = max_batch;
    options.rope_rescale = 1.0;
    return df_segmenter_create(setup->backend, setup->backbone, &setup->vit, &options,
                               setup->checkpoint ? setup->checkpoint->state : NULL, 0);
}
