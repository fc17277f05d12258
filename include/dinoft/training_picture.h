/* A picture at each validation of a training run, NAME_viz_EPOCH.png: the same few validation images, each
 * beside its label and its prediction, with a legend. */
#ifndef DINOFT_TRAINING_PICTURE_H
#define DINOFT_TRAINING_PICTURE_H

#include "dinoft/dataset.h"
#include "dinoft/run_files.h"
#include "dinoft/training_observer.h"

/* Both are borrowed until the observer is closed. -1 with the error set. */
int df_training_picture_open(struct df_training_observer *observer, const struct df_run_files *files,
                             const struct df_dataset *val_set);

#endif
