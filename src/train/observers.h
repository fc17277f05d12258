/* Tells a run's observers what happens. None of these can fail. */
#ifndef DINOFT_TRAIN_OBSERVERS_H
#define DINOFT_TRAIN_OBSERVERS_H

#include "dinoft/training_observer.h"

/* The caller's, and which of them are told nothing any more. */
struct observers {
    const struct df_training_observer *items; /* [count] */
    int count;
    uint32_t dropped; /* bit i: item i */
};

void observers_start(struct observers *observers, const struct df_run_start *run);
void observers_enter_epoch(struct observers *observers, const struct df_epoch_seen *epoch);
void observers_leave_epoch(struct observers *observers, const struct df_epoch_seen *epoch);
void observers_step(struct observers *observers, const struct df_step_seen *step);
void observers_validating(struct observers *observers, int64_t done, int64_t batches, int64_t images);
void observers_sample(struct observers *observers, const struct df_prediction *prediction);
void observers_validation(struct observers *observers, const struct df_validation_seen *validation);
void observers_store(struct observers *observers, struct df_state *state);

/* Whether any of them looks at samples. */
bool observers_want_samples(const struct observers *observers);

#endif
