/* The files that a training run keeps about itself: NAME_steps.csv and NAME_metrics.json. Epochs and steps
 * count from 1. */
#ifndef DINOFT_RUN_LOG_H
#define DINOFT_RUN_LOG_H

#include "dinoft/training_observer.h"

#include <stdint.h>
#include <stdio.h>

struct run_validation {
    int64_t epoch;
    double loss, miou, pixel_accuracy, reference_iou, reference_miou;
    double *class_iou; /* [n_classes]; NaN: neither labelled nor predicted */
};

struct run_log {
    char *steps_path, *metrics_path;
    FILE *steps;           /* grows a line a step; opened by the first */
    int64_t earlier_bytes; /* of the CSV: what an earlier process wrote of the run */
    double *train_loss;    /* [n_epochs] */
    int64_t n_epochs;
    struct run_validation *validations;
    int64_t n_validations;
    char *const *class_names; /* [n_classes], borrowed */
    int n_classes;
};

int run_log_init(struct run_log *log, const char *folder, const char *name, char *const *class_names,
                 int n_classes);
void run_log_free(struct run_log *log);

/* Appends a line to the CSV, which the first call creates anew. */
int run_log_step(struct run_log *log, const struct df_step_seen *step);

/* Each adds to what the metrics file will have; class_iou is copied. */
int run_log_add_epoch(struct run_log *log, double train_loss);
int run_log_add_validation(struct run_log *log, const struct run_validation *validation);

/* Writes the metrics file; the next two do so when they have added to it. */
int run_log_write(const struct run_log *log);
int run_log_epoch(struct run_log *log, double train_loss);
int run_log_validation(struct run_log *log, const struct run_validation *validation);

/* Bytes of the CSV so far. */
int64_t run_log_steps_bytes(const struct run_log *log);

/* The CSV is on the disk. -1 with the error set. */
int run_log_sync(struct run_log *log);

/* Goes on with the files of an earlier process: writes the metrics, and cuts the CSV back to its earlier
 * bytes; where it is shorter, a line says so. -1 with the error set. */
int run_log_go_on(struct run_log *log);

#endif
