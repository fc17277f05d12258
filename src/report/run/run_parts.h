/* The sections of pages about training runs. Each returns -1 when out of memory. */
#ifndef DINOFT_REPORT_RUN_PARTS_H
#define DINOFT_REPORT_RUN_PARTS_H

#include "run_history.h"

#include "../html.h"

/* What a run is called on a page: of several runs, no two the same. */
struct run_shown {
    const struct df_run_history *history;
    const char *label;
};

/* Losses, scores and the learning rate; of several runs, each with all of them in it. */
int run_curves_write(FILE *page, const struct run_shown *runs, size_t count);

/* The IoU of each class in the best and in the last validation. */
int run_classes_write(FILE *page, const struct df_run_history *history);

/* All settings, those first that are not the defaults (a JSON object of them), the command
 * line, and what the run has found of the program and the machine. */
int run_settings_table(FILE *page, const struct df_run_history *history, const char *defaults);

/* A table of the settings that are not the same in all runs. */
int run_settings_differences(FILE *page, const struct run_shown *runs, size_t count);

/* A fact as text to be freed: a dash where it is not known. NULL when out of memory. */
char *run_fact_text(const struct df_run_history *history, const char *name);

/* A setting, or a fact, that is a number; NaN where there is none. */
double run_setting_number(const struct df_run_history *history, const char *name);
double run_fact_number(const struct df_run_history *history, const char *name);

/* How long a run has trained, by its steps; NaN where it is not known, and false. "1 h 12 min" */
#define RUN_TIME_TEXT 48
double run_training_seconds(const struct df_run_history *history);
bool run_training_time(const struct df_run_history *history, char text[RUN_TIME_TEXT]);
void run_time_text(double seconds, char text[RUN_TIME_TEXT]);

/* When a page of several runs was made, and by which program. */
void run_made_write(FILE *page, const char *program);

/* Sentences that say what is missing. */
void run_notes_write(FILE *page, const struct df_run_history *history);

#endif
