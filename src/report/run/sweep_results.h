/* The numbers of a sweep's runs, and of the groups of those that differ by their seed alone. */
#ifndef DINOFT_REPORT_SWEEP_RESULTS_H
#define DINOFT_REPORT_SWEEP_RESULTS_H

#include "dinoft/sweep_report.h"

#include <stdint.h>

/* Scores are the sweep's metric. NaN, or epoch 0: there is none, as of a run that has failed. */
struct sweep_row {
    const struct df_sweep_run *run;
    double best, last;  /* of the best and of the last validation */
    int64_t epoch;      /* of the best one, from 1 on */
    double loss;        /* of the last one */
    double seconds;     /* of the training steps */
    bool is_unmeasured; /* the run has no validation images */
};

struct sweep_group {
    const struct df_sweep_run *run; /* one of it */
    int finished, failed;           /* runs */
    double mean, deviation;         /* of the best scores of those that are finished; of fewer than two NaN */
    double lowest, highest;
    double last, loss; /* means */
};

struct sweep_results {
    const struct df_sweep *sweep;
    struct sweep_row *rows;     /* [sweep->count], the best one first, those that have failed last */
    struct sweep_group *groups; /* [sweep->n_groups], by their means */
    int unmeasured;             /* runs without validation images: they have no scores, and no order */
};

/* Reads the runs' files. -1 with the error set; close it in either case. */
int sweep_results_read(struct sweep_results *results, const struct df_sweep *sweep);
void sweep_results_close(struct sweep_results *results);

/* The group of a run. */
const struct sweep_group *sweep_group_of(const struct sweep_results *results, const struct df_sweep_run *run);

/* "lr=1e-3 seed=0" without the seed where with_seed is false; "all" for nothing. To be freed; NULL with the
 * error set. */
char *sweep_run_label(const struct df_sweep *sweep, const struct df_sweep_run *run, bool with_seed);

/* What people read: per cent, but for a loss. */
double sweep_shown_score(const struct df_sweep *sweep, double score);
int sweep_score_decimals(const struct df_sweep *sweep);

/* "best mIoU, %", "validation loss": above a column of scores; before: "best " or "". */
#define SWEEP_METRIC_TEXT 64
const char *sweep_metric_text(const struct df_sweep *sweep, const char *before, char text[SWEEP_METRIC_TEXT]);

/* A sentence that says so of the unmeasured runs; false where there are none. */
#define SWEEP_UNMEASURED_TEXT 160
bool sweep_unmeasured_text(const struct sweep_results *results, char text[SWEEP_UNMEASURED_TEXT]);

/* A CSV file of the runs. -1 with the error set. */
int sweep_csv_write(const char *path, const struct sweep_results *results);
/* The table for the terminal. -1 with the error set. */
int sweep_table_print(FILE *stream, const struct sweep_results *results);

#endif
