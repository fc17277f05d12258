/* The page about one training run. */
#ifndef DINOFT_REPORT_RUN_PAGE_H
#define DINOFT_REPORT_RUN_PAGE_H

#include "run_history.h"
#include "run_pictures.h"

#include "dinoft/metrics.h"
#include "dinoft/run_report.h"

struct run_page {
    const struct df_run_history *history;
    struct df_run_page_texts texts;
    const struct df_metrics *metrics;    /* of the last validation; NULL: no confusion matrix */
    const struct run_pictures *pictures; /* NULL: none */
    const char *begun;                   /* when the process has begun that trains; NULL: not known */
    bool resumed;                        /* it goes on with the run of an earlier one */
    double validation_seconds;           /* that the last validation took; NaN: not known */
};

/* Writes it atomically. -1 with the error set. */
int run_page_write(const char *path, const struct run_page *page);

#endif
