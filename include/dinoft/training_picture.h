/* A picture at each validation of a training run, NAME_viz_EPOCH.png: the same few validation images, each
 * beside its label and its prediction, with a legend. */
#ifndef DINOFT_TRAINING_PICTURE_H
#define DINOFT_TRAINING_PICTURE_H

#include "dinoft/dataset.h"
#include "dinoft/run_files.h"
#include "dinoft/training_observer.h"

struct df_training_picture;

/* Both are borrowed until it is closed, which the caller does, after the run. NULL with the error set. */
struct df_training_picture *df_training_picture_open(const struct df_run_files *files,
                                                     const struct df_dataset *val_set);
void df_training_picture_close(struct df_training_picture *picture); /* NULL is allowed */

struct df_training_observer df_training_picture_observer(struct df_training_picture *picture);

#endif
