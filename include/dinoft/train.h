/* A training run, from the command line's configuration to the files it leaves. */
#ifndef DINOFT_TRAIN_H
#define DINOFT_TRAIN_H

#include "dinoft/config.h"

#include <signal.h>

/* Trains and writes OUTPUT_DIR/NAME.pt, NAME_metrics.json, NAME_steps.csv, NAME_config.json and debug
 * pictures. Everything that can be refused is refused before the first step. When *stop becomes non-zero the
 * run ends after the current step, with a checkpoint; after an error, what was
 * trained until then is in NAME_stopped.pt. Returns 0 / -1 with the error set. */
int df_train(const struct df_config *config, const volatile sig_atomic_t *stop);

#endif
