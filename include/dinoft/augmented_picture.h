/* NAME_augmented.png: training images as the model gets them, beside their labels. */
#ifndef DINOFT_AUGMENTED_PICTURE_H
#define DINOFT_AUGMENTED_PICTURE_H

#include "dinoft/run_files.h"
#include "dinoft/train.h"

/* The first eight of the run's first epoch. set: the training's. -1 with the error set. */
int df_augmented_picture_write(const struct df_training *training, const struct df_dataset *set,
                               const struct df_run_files *files);

#endif
