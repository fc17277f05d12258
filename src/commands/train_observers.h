/* Who looks at a training run, as its flags ask for it. */
#ifndef DINOFT_COMMANDS_TRAIN_OBSERVERS_H
#define DINOFT_COMMANDS_TRAIN_OBSERVERS_H

#include "run_record.h"

#include "dinoft/training_observer.h"

struct train_observers {
    char *config_path, *log_dir;          /* log_dir NULL: no TensorBoard log */
    struct df_training_observer items[5]; /* [count], for the training */
    int count;
};

/* run: borrowed until they are closed. resumes: it goes on. -1 with the error set, such as for logs of
 * another run in --log_dir; close them in either case, after the run. */
int train_observers_open(struct train_observers *observers, struct run_record *run, bool resumes);
void train_observers_close(struct train_observers *observers);

#endif
