#include "dinoft/extractor.h"

#include <string.h>

struct df_segmenter *df_extractor_open(const struct df_setup *setup, int64_t max_batch, int n_features,
                                       bool class_tokens)
{
    struct df_segmenter_options options = {
        .n_features = n_features,
        .class_tokens = class_tokens,
        .max_batch = max_batch,
        .height = setup->height,
        .width = setup->width,
        .rope_rescale = 1.0,
        .backbone_path = setup->weights_path,
    };

    memcpy(options.mean, setup->mean, sizeof options.mean);
    memcpy(options.std, setup->std, sizeof options.std);
    return df_segmenter_create(setup->backend, setup->backbone, &setup->vit, &options,
                               setup->checkpoint ? setup->checkpoint->state : NULL, 0);
}
