/* Who looks at a training run, as its flags ask for it. */
#ifndef DINOFT_COMMANDS_TRAIN_OBSERVERS_H
#define DINOFT_COMMANDS_TRAIN_OBSERVERS_H

#include "dinoft/config.h"
#include "dinoft/training_screen.h"

struct train_observers {
    struct df_training_screen *screen;
    struct df_training_observer items[4]; /* [count], for the training */
    int count;
};

/* -1 with the error set; close them in either case, after the run. */
int train_observers_open(struct train_observers *observers, const struct df_config *config);
void train_observers_close(struct train_observers *observers);

#endif
