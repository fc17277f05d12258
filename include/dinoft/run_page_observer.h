/* Keeps NAME_report.html up to date: a page about the run, written anew at each validation. */
#ifndef DINOFT_RUN_PAGE_OBSERVER_H
#define DINOFT_RUN_PAGE_OBSERVER_H

#include "dinoft/dataset.h"
#include "dinoft/run_files.h"
#include "dinoft/run_report.h"
#include "dinoft/training_observer.h"

/* val_set: NULL without validation images; then the page is written anew with each checkpoint of an epoch.
 * Files and set are borrowed until the observer is closed, texts are copied. -1 with the error set. */
int df_run_page_open(struct df_training_observer *observer, const struct df_run_files *files,
                     const struct df_dataset *val_set, const struct df_run_page_texts *texts);

#endif
