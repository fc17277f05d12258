/* A frozen backbone alone: from pixels to features. */
#ifndef DINOFT_EXTRACTOR_H
#define DINOFT_EXTRACTOR_H

#include "dinoft/setup.h"
#include "dinoft/vit.h"

struct df_extractor_options {
    int64_t max_batch;
    int n_features;              /* of the last blocks */
    bool class_tokens;           /* also the last block's class token */
    const struct df_state *fold; /* a checkpoint whose LoRA is folded into the weights; NULL: none */
};

struct df_extractor {
    const struct df_setup *setup;
    struct df_vit *vit; /* whose features are there after a run: see dinoft/vit.h */
    struct df_arena arena;
    int64_t max_batch;
    uint8_t *pixels; /* device [max_batch, H, W, 3] */
    float *image;    /* device [max_batch, 3, H, W] */
};

/* Of the setup's backbone, image size and normalisation; the setup must live as long. -1 with the error set;
 * close it in either case. */
int df_extractor_open(struct df_extractor *extractor, const struct df_setup *setup,
                      const struct df_extractor_options *options);
void df_extractor_close(struct df_extractor *extractor);

/* pixels: host [count, H, W, 3]. */
int df_extractor_run(struct df_extractor *extractor, int64_t count, const uint8_t *pixels);

#endif
