/* The settings that a run cannot be continued without: as texts of a state, one each, named by their flags.
 */
#ifndef DINOFT_TRAIN_RUN_SETTINGS_H
#define DINOFT_TRAIN_RUN_SETTINGS_H

#include "training.h"

/* Adds this run's to a state. -1 with the error set. */
int run_settings_add(const struct df_training *training, struct df_state *state);

/* -1 with the error set, which lists what is other in `saved` than in this run. A run on another device or in
 * another precision goes on, with a warning: its bits are others. */
int run_settings_compare(const struct df_training *training, const struct df_state *saved);

#endif
