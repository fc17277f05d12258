/* A training run on the screen: a bar on stderr, and a line for each epoch on stdout. */
#ifndef DINOFT_TRAINING_SCREEN_H
#define DINOFT_TRAINING_SCREEN_H

#include "dinoft/training_observer.h"

/* reference_numbers: the reference project's own scores are printed at each validation, too. -1 with the
 * error set. */
int df_training_screen_open(struct df_training_observer *observer, bool reference_numbers);

#endif
