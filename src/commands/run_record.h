/* NAME_config.json: what a training run was asked for, what became of it, and where it ran. */
#ifndef DINOFT_COMMANDS_RUN_RECORD_H
#define DINOFT_COMMANDS_RUN_RECORD_H

#include "dinoft/config.h"
#include "dinoft/setup.h"
#include "dinoft/train.h"

/* A run that is ready to begin. What it points to outlives the training. */
struct run_record {
    const struct df_config *config;
    const struct df_run_files *files;
    const struct df_setup *setup;
    const struct df_dataset *train_set, *val_set; /* val_set: NULL without validation images */
    const struct df_training *training;           /* NULL until it is open */
    bool tried, written;
};

/* Writes the file with the run's first step: until then an older run of the name is still there, and its file
 * tells of it. Where that fails, each epoch with a checkpoint tries again. Flags that were overruled, or left
 * to the program, have the value that counts, so that --config repeats the run. */
struct df_training_observer run_record_observer(struct run_record *run);

#endif
