/* What the runs of a sweep have reached, of the files that they have left: a page, a CSV file and a table for
 * the terminal. */
#ifndef DINOFT_SWEEP_REPORT_H
#define DINOFT_SWEEP_REPORT_H

#include "dinoft/best_metric.h"
#include "dinoft/run_report.h"

#include <stdbool.h>
#include <stdio.h>

#define DF_SWEEP_VARIED_MOST 16 /* flags: tables of more would be too wide */

struct df_sweep_run {
    const char *prefix;        /* of its files, as "output/run_lr=1e-3_seed=0" */
    const char *const *values; /* [n_varied] */
    int group;                 /* runs of a group differ by their seed alone; from 0 on */
    const char *failure;       /* why it has ended early; NULL: it is finished */
};

struct df_sweep {
    const char *name;
    const char *const *varied; /* [n_varied, 1 .. DF_SWEEP_VARIED_MOST]: the flags that are not the same in
                                  all runs, without dashes */
    int n_varied;
    int seed;                        /* which of them is the seed; -1: none */
    enum df_best_metric metric;      /* by which the runs are compared, */
    bool metrics_differ;             /* though they have chosen their best checkpoints by several */
    const struct df_sweep_run *runs; /* [count, at least 1] */
    int count, n_groups;
};

/* Writes the page and the CSV file atomically, and the table to the stream, all three with the best run first
 * and with the mean and the sample standard deviation of each group. -1 with the error set. */
int df_sweep_report_write(const struct df_sweep *sweep, const char *html_path, const char *csv_path,
                          FILE *table, const struct df_run_page_texts *texts);

#endif
