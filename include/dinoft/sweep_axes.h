/* The lists that `dinoft sweep` was given, and the runs that all their combinations make. */
#ifndef DINOFT_SWEEP_AXES_H
#define DINOFT_SWEEP_AXES_H

#include "dinoft/config.h"

#define DF_SWEEP_RUNS_MOST 1000

/* What was typed of a flag of train. */
struct df_axis {
    enum df_option option;
    char **values; /* [count], no two the same: as each would be typed; of a switch "on" or "off" */
    int count;     /* 1: the same in all runs */
};

/* In the order in which they were typed; the last one changes from run to run. */
struct df_axes {
    struct df_axis items[DF_OPTION_COUNT]; /* [count] */
    int count;
};

/* How many runs there are, 1 to DF_SWEEP_RUNS_MOST. -1 with the error set. */
int df_axes_runs(const struct df_axes *axes);

/* Which value of an axis a run has, both from 0 on. */
int df_axes_value(const struct df_axes *axes, int axis, int run);

/* The name of a run's files, "BASE_lr=1e-3_seed=0", of the flags that vary and with no character in it that a
 * shell or a file system takes for another; to be freed. NULL with the error set. */
char *df_axes_run_name(const struct df_axes *axes, const char *base, int run);

/* The words of the command line that is a run: `dinoft train` with the file of --config, the run's values
 * and what it writes, going on where it was stopped. End with NULL. NULL with the error set; to be freed with
 * df_axes_words_free(). */
char **df_axes_run_words(const struct df_config *config, int run, const char *name);
void df_axes_words_free(char **words); /* NULL is allowed */

#endif
