/* A training run on the screen: a bar on stderr, and a line for each epoch on stdout. */
#ifndef DINOFT_TRAINING_SCREEN_H
#define DINOFT_TRAINING_SCREEN_H

#include "dinoft/training_observer.h"

struct df_training_screen;

/* reference_numbers: the reference project's own scores are printed at each validation, too. For the caller
 * to close, after the run. NULL with the error set. */
struct df_training_screen *df_training_screen_open(bool reference_numbers);
void df_training_screen_close(struct df_training_screen *screen); /* NULL is allowed */

struct df_training_observer df_training_screen_observer(struct df_training_screen *screen);

#endif
