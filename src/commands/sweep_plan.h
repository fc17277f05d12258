/* The runs of a sweep, before any of them begins. */
#ifndef DINOFT_COMMANDS_SWEEP_PLAN_H
#define DINOFT_COMMANDS_SWEEP_PLAN_H

#include "dinoft/config.h"
#include "dinoft/sweep_report.h"

struct sweep_run {
    char *name, *prefix;     /* of its files: "run_lr=1e-3", "output/run_lr=1e-3" */
    char **words;            /* its command line, ends with NULL */
    struct df_config config; /* of that, completed */
    bool begun;              /* by an earlier command */
    bool over;               /* finished by that, or this one */
    char *failure;           /* why it has ended early, to be freed; or NULL */
};

struct sweep_plan {
    const char *name;       /* how the runs' names begin */
    struct sweep_run *runs; /* [count] */
    int count;
};

/* Makes the command lines of all combinations, and checks each as `dinoft train` would. -1 with the error
 * set, exit status 2; close it in either case. */
int sweep_plan_make(struct sweep_plan *plan, const struct df_config *config);
void sweep_plan_close(struct sweep_plan *plan);

/* One command line below the other, as a shell takes them. -1 with the error set. */
int sweep_plan_print(FILE *stream, const struct sweep_plan *plan);

/* -1 with the error set where NAME_config.json says other than the run's settings what a run's state does not
 * hold. */
int sweep_run_check_recorded(const struct sweep_run *run);

/* Writes what the runs have reached. -1 with the error set. */
int sweep_plan_report(const struct sweep_plan *plan, const struct df_config *config, const char *html_path,
                      const char *csv_path);

#endif
