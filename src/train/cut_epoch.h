/* What the validation of an epoch that --max_steps cut off has changed, for a run that goes on after all. */
#ifndef DINOFT_TRAIN_CUT_EPOCH_H
#define DINOFT_TRAIN_CUT_EPOCH_H

#include "training.h"

/* Before such a validation is judged. Here and below: -1 with the error set. */
int cut_epoch_remember(struct df_training *training);

/* To and from a state; the training's place is read already. */
int cut_epoch_add(const struct df_training *training, struct df_state *state);
int cut_epoch_read(struct df_training *training, const struct df_state *state);

/* A run that has steps left now begins: the best one is the one before again, and its file. */
int cut_epoch_go_on(struct df_training *training);

void cut_epoch_free(struct cut_epoch *cut);

#endif
