/* What of a checkpoint a training goes on with, and what of its model is new. */
#ifndef DINOFT_TRAINING_START_H
#define DINOFT_TRAINING_START_H

#include "dinoft/dataset.h"
#include "dinoft/model_options.h"

/* Holds the checkpoint of `setup`, if there is one, against what is asked for (recorded settings were taken
 * over) and the training set:
 *
 * - Its LoRA goes on, or with --merge_lora becomes a part of the frozen backbone. Where it has none and LoRA
 *   is asked for, this is new.
 * - Its decoder goes on if it is of the kind that is asked for and its classes are those of the set: as many,
 *   and of equal names where both sides have names. Else it is new.
 *
 * Fills in decoder, rank, merged and new_parts of setup->model. Logs, in a line, what does not simply go on,
 * and classes that only their number tells to be the same. -1 with the error set where what is typed
 * contradicts the checkpoint, or where nothing of it would go on. */
int df_training_start(struct df_setup *setup, const struct df_config *config, const struct df_dataset *set);

#endif
