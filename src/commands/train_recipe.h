/* What the default recipe chose for a run, and why, in words. */
#ifndef DINOFT_COMMANDS_TRAIN_RECIPE_H
#define DINOFT_COMMANDS_TRAIN_RECIPE_H

#include "dinoft/config.h"
#include "dinoft/train.h"

/* Logs three lines, none with a reference recipe. images: of the training set. */
void train_recipe_log(const struct df_config *config, const struct df_training_options *options,
                      int64_t images);

#endif
