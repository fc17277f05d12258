/* From the command line to a model: which device, which backbone, which checkpoint, which image size. */
#ifndef DINOFT_SETUP_H
#define DINOFT_SETUP_H

#include "dinoft/checkpoint.h"
#include "dinoft/config.h"

struct df_setup {
    struct df_config config; /* the flags, and what the checkpoint says where none was typed */
    struct df_backend *backend;
    struct df_state *backbone; /* official names */
    struct df_vit_config vit;
    char *weights_path;
    struct df_checkpoint *checkpoint; /* --lora_weights; NULL without */
    int64_t height, width;            /* --img_dim lowered to multiples of the patch size */
    const char *normalize;            /* "imagenet" or "none", decided */
    float mean[3], std[3];            /* what that means */
};

/* Reads and checks everything that the model needs: the files against each other and against what was typed.
 * Logs what was decided. From then on setup->config counts; the struct must stay where it is. -1 with the
 * error set; close it in either case. */
int df_setup_open(struct df_setup *setup, const struct df_config *config);
void df_setup_close(struct df_setup *setup);

/* Parts of df_setup_open that need no files; checkpoint may be NULL.
 * The image size: the flags' or, where none is typed, the checkpoint's, lowered to multiples of the patch. */
int df_setup_image_size(const struct df_config *config, const struct df_checkpoint *checkpoint, int64_t patch,
                        int64_t *height, int64_t *width);
/* The hub name that the flags mean; a checkpoint's own record counts more than defaults that nobody typed. */
const char *df_setup_backbone_name(const struct df_config *config, const struct df_checkpoint *checkpoint);
/* The decoder that the flags ask for. */
const struct df_decoder_kind *df_setup_decoder(const struct df_config *config);

/* -1 with the error set if an output of that name would overwrite the backbone, the checkpoint or the class
 * names. */
int df_setup_check_output(const struct df_setup *setup, const struct df_config *config, const char *path);

enum df_model_use {
    DF_MODEL_TRAINS,         /* LoRA, rank and decoder from the flags */
    DF_MODEL_TRAINS_DECODER, /* the same without LoRA and backbone: features are given */
    DF_MODEL_EVALUATES,      /* all from the checkpoint, which must be there */
    DF_MODEL_EVALUATES_FEED  /* the same, of batches that a feed brings (dinoft/feed.h) */
};

/* NULL with the error set. The backbone's file is released, since what the model needs is packed, but where
 * the model has no backbone. */
struct df_segmenter *df_setup_segmenter(struct df_setup *setup, const struct df_config *config,
                                        enum df_model_use use, int64_t classes, int64_t max_batch);

/* Closes the backbone's file. */
void df_setup_release_backbone(struct df_setup *setup);

#endif
