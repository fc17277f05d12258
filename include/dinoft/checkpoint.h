/* LoRA + decoder checkpoints: the reference project's, and dinoft's own with a record of what the model
 * expects. */
#ifndef DINOFT_CHECKPOINT_H
#define DINOFT_CHECKPOINT_H

#include "dinoft/mask_values.h"
#include "dinoft/segmenter.h"

#define DF_RECORD_KEY "dinoft" /* the text entry that train adds: a JSON object */

/* What a model was trained with. Strings are "" and numbers 0 where a checkpoint does not say. */
struct df_record {
    char backbone[64];                         /* hub name, "" for a model of other dimensions */
    char dataset[32];                          /* "voc", "ade20k", "folder" */
    char normalize[16];                        /* "imagenet" or "none" */
    char mask_values[DF_MASK_VALUES_TEXT_MAX]; /* folder: what --mask_values said */
    int64_t img_dim[2];                        /* height, width */
    char **class_names;                        /* [n_class_names]; owned */
    int n_class_names;
};

struct df_checkpoint {
    struct df_state *state;
    const struct df_decoder_ops *decoder;
    int64_t classes, dim; /* the decoder's */
    int64_t rank, depth;  /* LoRA's; 0 without */
    bool has_record;
    struct df_record record;
};

/* Reads and checks a checkpoint. NULL with the error naming the file. */
struct df_checkpoint *df_checkpoint_open(const char *path);

/* The same for a state that was read already (consumed, also on failure). */
struct df_checkpoint *df_checkpoint_from_state(struct df_state *state, const char *path);
void df_checkpoint_free(struct df_checkpoint *checkpoint);

/* -1 with the error set, both numbers named, when the checkpoint does not fit the backbone. */
int df_checkpoint_check_backbone(const struct df_checkpoint *checkpoint, const struct df_vit_config *config,
                                 const char *path);

/* Writes the model's parameters and the record, atomically. */
int df_checkpoint_save(const char *path, const struct df_segmenter *segmenter,
                       const struct df_record *record);

#endif
