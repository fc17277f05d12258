/* From the command line to what a model is made of: which device, which backbone, which checkpoint, which
 * options. */
#ifndef DINOFT_SETUP_H
#define DINOFT_SETUP_H

#include "dinoft/model_options.h"

/* Reads and checks everything that the model needs: the files against each other and against what was typed.
 * Logs what was decided. Fills in what was not typed and the checkpoint knows (recorded_settings.h): strings
 * of config may then be the checkpoint's. -1 with the error set; close it in either case. */
int df_setup_open(struct df_setup *setup, struct df_config *config);

/* The backbone's file that --weights or the name stands for, read and held against what was typed: with
 * official names, its dimensions in *vit, its path, to be freed, in *path. NULL with the error set; *path may
 * be set then too. */
struct df_state *df_setup_backbone(const struct df_config *config, const struct df_checkpoint *checkpoint,
                                   struct df_vit_config *vit, char **path);

/* -1 with the error set if an output of that name would overwrite the backbone, the checkpoint or what tells
 * the classes. */
int df_setup_check_output(const struct df_setup *setup, const struct df_config *config, const char *path);

/* A data set of the flags. checkpoint: whose classes it has where no flag says which; NULL: it must be said.
 * NULL with the error set. */
struct df_dataset *df_setup_dataset(const struct df_config *config, enum df_split split,
                                    const struct df_checkpoint *checkpoint);

/* The part that --split names: train, val, or another. NULL with the error set. */
struct df_dataset *df_setup_part(const struct df_config *config, const struct df_checkpoint *checkpoint);

/* A warning where images of --split are training images: all of train's, or those of another part that are
 * named there too. -1 when out of memory. */
int df_setup_warn_of_training_images(const struct df_config *config, const struct df_dataset *part,
                                     const struct df_checkpoint *checkpoint);

/* The validation images that belong to the flags' training images; *set: NULL where a folder of one's own has
 * none. -1 with the error set. */
int df_setup_validation_set(const struct df_config *config, const struct df_dataset *train_set,
                            struct df_dataset **set);

/* How the flags change training images. */
struct df_augment_options df_setup_augmentation(const struct df_config *config);

#endif
