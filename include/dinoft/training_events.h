/* A training run for TensorBoard (dinoft/event_file.h): curves of its steps and validations, a few validation
 * images, and its configuration as text. Tags and what they mean: docs/training.md. */
#ifndef DINOFT_TRAINING_EVENTS_H
#define DINOFT_TRAINING_EVENTS_H

#include "dinoft/backend.h"
#include "dinoft/dataset.h"
#include "dinoft/training_observer.h"

struct df_training_events;

struct df_training_events_options {
    const char *folder;      /* of the event files; made by the first event */
    const char *config_path; /* NAME_config.json, whose text the run's first event has */
    const struct df_dataset *val_set;
    struct df_backend *backend;
};

/* All of it is borrowed until it is closed, which the caller does, after the run. NULL with
 * the error set. */
struct df_training_events *df_training_events_open(const struct df_training_events_options *options);

/* A warning where events are lost. NULL is allowed. */
void df_training_events_close(struct df_training_events *events);

struct df_training_observer df_training_events_observer(struct df_training_events *events);

#endif
