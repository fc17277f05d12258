/* Who looks at a training run, as its flags ask for it. */
#ifndef DINOFT_COMMANDS_TRAIN_OBSERVERS_H
#define DINOFT_COMMANDS_TRAIN_OBSERVERS_H

#include "run_record.h"

#include "dinoft/run_files.h"
#include "dinoft/setup.h"
#include "dinoft/training_observer.h"

/* What they are made for: borrowed until they are closed. */
struct train_observed {
    const struct df_config *config;
    const struct df_run_files *files;
    const struct df_setup *setup;
    const struct df_dataset *val_set;
    struct run_record *record;
    bool resumes;
};

struct train_observers {
    char *config_path, *log_dir;          /* log_dir NULL: no TensorBoard log */
    struct df_training_observer items[5]; /* [count], for the training */
    int count;
};

/* -1 with the error set, such as for logs of another run in --log_dir; close them in either case, after the
 * run. */
int train_observers_open(struct train_observers *observers, const struct train_observed *run);
void train_observers_close(struct train_observers *observers);

#endif
