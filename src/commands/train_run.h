/* A training run from its flags, for who makes several of them. */
#ifndef DINOFT_COMMANDS_TRAIN_RUN_H
#define DINOFT_COMMANDS_TRAIN_RUN_H

#include "dinoft/cached_features.h"
#include "dinoft/config.h"

/* What runs that follow each other have together. */
struct train_shared {
    const char *features_path;                  /* the file of a frozen backbone's features */
    struct df_features_keeper *features_keeper; /* those in memory */
};

/* Trains. shared: NULL for one run. The program's exit status, as command_train() has it. */
int train_run(struct df_config *config, const struct train_shared *shared);

/* *begun: whether the run of --exp_name is there, of these settings; *over: with nothing left to do. -1 with
 * the error set where a run of the name is there that cannot go on with them. Changes no file. */
int train_is_over(const struct df_config *config, bool *begun, bool *over);

#endif
