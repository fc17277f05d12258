/* NAME.state: what a run needs, beside its data and its backbone, to go on to the same bits. A .safetensors
 * file with the model's tensors (df_segmenter_store), the logs (train_loss float64 [epochs], validations
 * float64 [validations, 6 + classes]), what observers have stored, and texts: where the run is, the settings
 * that it was made with, and which NAME.pt it belongs to.
 *
 * Its digest is in it, so that damage is found. It is written before NAME.pt, each whole or not at all, and
 * knows that file's content before and after: so a run that is killed between the two leaves a pair that
 * fits, and a file of another run does not. */
#ifndef DINOFT_TRAIN_RUN_STATE_H
#define DINOFT_TRAIN_RUN_STATE_H

#include "training.h"

/* Writes it for what the model and the log are now. pair: the content of the NAME.pt that is written next.
 * Here and below: 0, or -1 with the error set. */
int run_state_write(struct df_training *training, uint64_t pair);

/* Reads it as training->state, and into the training, whose model is made: the model, the place in the run
 * and the logs. -1 too where it is damaged, the settings are others, or NAME.pt is another's;
 * training->pair_is_whole tells whether that is the one that was written with it. No file is changed. */
int run_state_read(struct df_training *training);
/* The same without a model, which is not read: for who asks how far the run is. */
int run_state_read_course(struct df_training *training);

/* Whether the settings of the state in a file are the training's, which needs no model. With the error set: 1
 * where they are not, -1 where it cannot be read, or is none. */
int run_state_fits(const struct df_training *training, const char *path);

/* The checkpoints of epochs that the state of training->files knows of, to be freed; none where it cannot be
 * read, or there is none. -1 with the error set. */
int run_state_kept(const struct df_training *training, struct kept_checkpoints *kept);

#endif
