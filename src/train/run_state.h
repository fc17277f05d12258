/* NAME.state: what a run needs, beside its data and its backbone, to go on to the same bits. A .safetensors
 * file with the model's tensors (df_segmenter_store), the logs (train_loss float64 [epochs], validations
 * float64 [validations, 6 + classes]), what observers have stored, and texts: where the run is, the settings
 * that it was made with, and which NAME.pt it belongs to.
 *
 * It is written before NAME.pt, each whole or not at all, and knows that file's content before and after: so
 * a run that is killed between the two leaves a pair that fits, and a file of another run does not. */
#ifndef DINOFT_TRAIN_RUN_STATE_H
#define DINOFT_TRAIN_RUN_STATE_H

#include "training.h"

/* Writes it for what the model and the log are now. pair: the content of the NAME.pt that is written next.
 * Here and below: 0, or -1 with the error set. */
int run_state_write(struct df_training *training, uint64_t pair);

/* Whether the run can go on from it: format, settings, and NAME.pt; training->pair_is_whole tells whether
 * this is the one that belongs to it. Nothing but that is changed. */
int run_state_check(struct df_training *training);

/* Then reads it into the training, whose model is made: the model, the place in the run and the logs, which
 * it cuts back. */
int run_state_restore(struct df_training *training);

/* Before the first step of a new run: an older run's state of that name goes, and what NAME.pt holds is
 * remembered. */
int run_state_discard(struct df_training *training);

#endif
