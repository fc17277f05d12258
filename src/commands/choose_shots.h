/* --shots: a few of the training images. */
#ifndef DINOFT_COMMANDS_CHOOSE_SHOTS_H
#define DINOFT_COMMANDS_CHOOSE_SHOTS_H

#include "dinoft/config.h"
#include "dinoft/dataset.h"

/* Leaves the images of the training set that --shots and --seed choose (dinoft/shots.h), and logs how many
 * and which classes too few show; all of them where --shots is not typed, and after Ctrl-C. -1 with the error
 * set.
 */
int choose_shots(const struct df_config *config, struct df_dataset *train_set);

#endif
