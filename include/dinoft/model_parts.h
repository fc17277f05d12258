/* What a model is made of, and the model made of it. It knows no flag: dinoft/setup.h fills the parts in from
 * flags and files, and a program without a command line fills them in itself. */
#ifndef DINOFT_MODEL_PARTS_H
#define DINOFT_MODEL_PARTS_H

#include "dinoft/checkpoint.h"

struct df_setup {
    struct df_backend *backend;
    struct df_state *backbone; /* official names */
    struct df_vit_config vit;
    char *weights_path;
    struct df_checkpoint *checkpoint;  /* NULL without */
    struct df_segmenter_options model; /* but for what a data set and a use of the model decide */
    char normalize[DF_NORMALIZE_TEXT]; /* what mean and std of the options are, in words or numbers */
};

/* Frees what the parts own: all but strings of the options. */
void df_setup_close(struct df_setup *setup);

/* Closes the backbone's file. */
void df_setup_release_backbone(struct df_setup *setup);

enum df_model_use {
    DF_MODEL_TRAINS,
    DF_MODEL_TRAINS_DECODER,  /* features are given, and there is no backbone */
    DF_MODEL_TRAINS_AND_SEES, /* features are given in training, and images otherwise, unpacked */
    DF_MODEL_EVALUATES,
    DF_MODEL_EVALUATES_FEED /* batches of a feed (dinoft/feed.h) */
};

/* Fills in what the use decides. -1 with the error set where images are too small for the decoder. patch:
 * pixels of its side. */
int df_model_options_use(struct df_segmenter_options *options, enum df_model_use use,
                         const struct df_backend *backend, int64_t patch);

/* The model, from the checkpoint's weights if there is one, else drawn from seed. NULL with the error set.
 * The backbone's file is released, since what the model needs is packed, but where the model has no backbone.
 */
struct df_segmenter *df_setup_segmenter(struct df_setup *setup, enum df_model_use use, int64_t classes,
                                        int64_t max_batch, uint64_t seed);

#endif
