/* The settings that a run cannot be continued without: as texts of a state, one each, named by their flags.
 * They are those of the training's options, parts, sets and record: it needs no model yet. */
#ifndef DINOFT_TRAIN_RUN_SETTINGS_H
#define DINOFT_TRAIN_RUN_SETTINGS_H

#include "training.h"

/* Adds this run's to a state. -1 with the error set. */
int run_settings_add(const struct df_training *training, struct df_state *state);

/* -1 with the error set, which lists what is other in `saved` than in this run. The device and the precision
 * may be others. */
int run_settings_compare(const struct df_training *training, const struct df_state *saved);

/* Warns where these are others: the run goes on, to other bits. */
void run_settings_warn(const struct df_training *training, const struct df_state *saved);

#endif
