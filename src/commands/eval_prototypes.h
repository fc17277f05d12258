/* eval --prototypes: the training images, and the decoder that is made of them. */
#ifndef DINOFT_COMMANDS_EVAL_PROTOTYPES_H
#define DINOFT_COMMANDS_EVAL_PROTOTYPES_H

#include "dinoft/config.h"
#include "dinoft/measure.h"

/* Opens the training images, of which --shots leaves some, before the model is made. Neither this nor the
 * next does anything where prototypes are not asked for. -1 with the error set; *train_set is for the caller
 * to free in either case, after the measure. */
int eval_prototypes_open(const struct df_config *config, struct df_measure *measure,
                         struct df_dataset **train_set);

/* After df_measure_start: makes the decoder, and warns of classes that no pixel of the images has; after
 * Ctrl-C there is none. -1 with the error set. */
int eval_prototypes_make(const struct df_measure *measure);

#endif
