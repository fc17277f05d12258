/* A training run for TensorBoard (dinoft/event_file.h): curves of its steps and validations, a few validation
 * images, and its configuration as text. Tags and what they mean: docs/training.md. */
#ifndef DINOFT_TRAINING_EVENTS_H
#define DINOFT_TRAINING_EVENTS_H

#include "dinoft/backend.h"
#include "dinoft/dataset.h"
#include "dinoft/training_observer.h"

struct df_training_events_options {
    const char *folder;               /* of the event files; made by the first event */
    const char *config_path;          /* NAME_config.json, whose text the run's first event has */
    const struct df_dataset *val_set; /* NULL without validation images */
    struct df_backend *backend;
};

/* All of it is borrowed until the observer is closed. -1 with the error set. */
int df_training_events_open(struct df_training_observer *observer,
                            const struct df_training_events_options *options);

#endif
