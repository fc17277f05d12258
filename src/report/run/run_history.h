/* What a training run has written of its course, read back: NAME_steps.csv, NAME_metrics.json and
 * NAME_config.json. The files may have been written by anything; what a page can do without may be missing.
 *
 * Epochs and steps count from 1. NaN: a value that does not exist. */
#ifndef DINOFT_REPORT_RUN_HISTORY_H
#define DINOFT_REPORT_RUN_HISTORY_H

#include "dinoft/best_metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

/* What a step has. */
enum df_step_value { DF_STEP_LOSS, DF_STEP_LR, DF_STEP_RATE, DF_STEP_GRADIENT, DF_STEP_VALUES };

struct df_step {
    int64_t epoch, step;
    double values[DF_STEP_VALUES]; /* loss, learning rate, images per second, gradient norm */
};

#define DF_STEP_BINS 1024

/* Steps that follow each other. */
struct df_step_bin {
    int64_t first, last;
    double sums[DF_STEP_VALUES]; /* of the values that are finite numbers */
    int64_t counts[DF_STEP_VALUES];
};

/* Any number of steps in little memory: bins of `width` steps each, the last one of fewer; when all are full,
 * neighbours become one. So no less than half of the bins are in use where there are as many steps. */
struct df_steps {
    struct df_step_bin bins[DF_STEP_BINS]; /* [count] */
    size_t count;
    int64_t width;                 /* 0: there is no step yet */
    int64_t in_last;               /* steps in the last bin */
    int64_t last_epoch, last_step; /* of the last step; 0 likewise */
    int64_t epoch_steps;           /* steps of an epoch; 0: not known, as the first one has not ended */
    double image_seconds;          /* the steps' seconds per image, added up, */
    double end_image_seconds;      /* those of the last steps of epochs that others have followed */
    double last_image_seconds;     /* and that of the last step */
    bool is_cut;                   /* the file's last line has no end: its writer was killed */
    bool from_zero;                /* the file's epochs count from 0, as those of the first versions */
};

/* A step behind those that are there. -1 with the error set where its number says that it is none. */
int df_steps_add(struct df_steps *steps, const struct df_step *step);

/* The mean of a bin; NaN where none of its values is a number. */
double df_steps_mean(const struct df_step_bin *bin, enum df_step_value value);

/* Replaces steps by those of a CSV file. A last line without an end is left out. -1 with the error naming the
 * file and the line. */
int df_steps_read(const char *path, struct df_steps *steps);

struct df_run_validation {
    int64_t epoch;
    double loss, miou, pixel_accuracy, reference_miou;
    double *class_iou; /* [n_classes]; NULL where the file has none */
};

#define DF_RUN_NOTES 8

struct df_run_history {
    char *prefix;          /* "output/voc_lora": how the paths of its files begin */
    const char *name;      /* "voc_lora", in the prefix */
    struct df_steps steps; /* none where NAME_steps.csv is missing */
    double *train_loss;    /* [n_epochs] */
    int64_t n_epochs;
    struct df_run_validation *validations; /* [n_validations], ascending by epoch */
    int64_t n_validations;
    char **class_names; /* [n_classes]; 0 where the file has none */
    int n_classes;
    struct cJSON *config;            /* NULL where NAME_config.json is missing */
    enum df_best_metric best_metric; /* that the run has chosen its best checkpoint by */
    bool is_unmeasured;              /* its settings say that it has no validation images */
    char *notes[DF_RUN_NOTES];       /* [n_notes]: sentences that say what is missing */
    int n_notes;
};

/* A run without anything yet. NULL with the error set; so everywhere, and -1. */
struct df_run_history *df_run_history_new(const char *prefix);
void df_run_history_free(struct df_run_history *history); /* NULL is allowed */

/* Each replaces what there is by what the file says: NAME_config.json, NAME_steps.csv, NAME_metrics.json. A
 * file that is missing is noted; NAME_metrics.json may not be. */
int df_run_history_read_config(struct df_run_history *history);
int df_run_history_read_steps(struct df_run_history *history);
int df_run_history_read_metrics(struct df_run_history *history);

/* All of it. */
struct df_run_history *df_run_history_read(const char *prefix);

/* That number of a validation. */
double df_run_score(const struct df_run_validation *validation, enum df_best_metric metric);

/* Which validation is the best one by it, the first of equal ones; -1: none has the number. */
int64_t df_run_best(const struct df_run_history *history, enum df_best_metric metric);

#endif
