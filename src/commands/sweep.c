/* Training runs of all combinations of lists of values, one after the other. */
#include "commands.h"
#include "interrupt.h"
#include "sweep_plan.h"
#include "train_run.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/run_lock.h"
#include "dinoft/text.h"

#include <stdlib.h>

struct sweep {
    const struct df_config *config;
    struct sweep_plan plan;
    char *stem;                                 /* "run_sweep" */
    char *html_path, *csv_path, *features_path; /* "output/run_sweep.html", … */
    struct df_run_lock *lock;                   /* of the stem */
    struct df_features_keeper features;
    int over, failed; /* runs */
};

/* --- opening --- */

static int name_files(struct sweep *sweep)
{
    const char *folder = sweep->config->output_dir;

    sweep->stem = df_text_format("%s_sweep", sweep->plan.name);
    if (!sweep->stem)
        return -1;
    sweep->html_path = df_text_format("%s/%s.html", folder, sweep->stem);
    sweep->csv_path = df_text_format("%s/%s.csv", folder, sweep->stem);
    sweep->features_path = df_text_format("%s/%s_features.cache", folder, sweep->stem);
    return sweep->html_path && sweep->csv_path && sweep->features_path ? 0 : -1;
}

static int open_files(struct sweep *sweep)
{
    DF_TRY(name_files(sweep));
    DF_TRY(df_check_writable_file(sweep->html_path));
    DF_TRY(df_check_writable_file(sweep->csv_path));
    sweep->lock = df_run_lock_open(sweep->config->output_dir, sweep->stem, DF_OTHER_RUN_ADVICE);
    return sweep->lock ? 0 : -1;
}

/* What earlier commands have left of a run: what cannot go on is told before anything is trained. */
static int look_at(struct sweep_run *run)
{
    if (train_is_over(&run->config, &run->begun, &run->over) != 0)
        return df_error_context("the run %s", run->name);
    return run->begun ? sweep_run_check_recorded(run) : 0;
}

static int look_at_all(struct sweep *sweep, const volatile sig_atomic_t *stop)
{
    for (int i = 0; i < sweep->plan.count && !*stop; i++) {
        DF_TRY(look_at(&sweep->plan.runs[i]));
        sweep->over += sweep->plan.runs[i].over;
    }
    return 0;
}

/* --- training --- */

/* Nobody but the report has use for the error. */
static int note_failure(struct sweep *sweep, struct sweep_run *run)
{
    run->failure = df_text_copy(df_error_text());
    if (!run->failure)
        return -1;
    df_log("warning: the run %s has failed: %s", run->name, run->failure);
    sweep->failed++;
    return 0;
}

static int train_one(struct sweep *sweep, struct sweep_run *run)
{
    const struct train_shared shared = {sweep->features_path, &sweep->features};
    const int status = train_run(&run->config, &shared);

    if (status == 1)
        return note_failure(sweep, run);
    run->over = status == 0;
    sweep->over += run->over;
    return 0;
}

static int train_all(struct sweep *sweep, const volatile sig_atomic_t *stop)
{
    const struct sweep_plan *plan = &sweep->plan;

    df_log("%d runs, %d of them finished already", plan->count, sweep->over);
    for (int i = 0; i < plan->count && !*stop; i++) {
        if (plan->runs[i].over)
            continue;
        df_log("run %d of %d: %s", i + 1, plan->count, plan->runs[i].name);
        DF_TRY(train_one(sweep, &plan->runs[i]));
    }
    if (*stop)
        df_log("interrupted: %d of %d runs are finished; the same command goes on", sweep->over, plan->count);
    return 0;
}

/* --- the whole --- */

static int tell_of_failures(const struct sweep *sweep)
{
    int first = 0;

    if (sweep->failed == 0)
        return 0;
    while (!sweep->plan.runs[first].failure)
        first++;
    return df_error_set("%d of %d runs have failed, %s first: %s", sweep->failed, sweep->plan.count,
                        sweep->plan.runs[first].name, sweep->plan.runs[first].failure);
}

static int make_runs(struct sweep *sweep, const volatile sig_atomic_t *stop)
{
    DF_TRY(open_files(sweep));
    DF_TRY(look_at_all(sweep, stop));
    DF_TRY(train_all(sweep, stop));
    if (*stop)
        return 0;
    DF_TRY(sweep_plan_report(&sweep->plan, sweep->config, sweep->html_path, sweep->csv_path));
    df_log("done: %s, %s", sweep->html_path, sweep->csv_path);
    return tell_of_failures(sweep);
}

static int run_sweep(struct sweep *sweep)
{
    if (sweep_plan_make(&sweep->plan, sweep->config) != 0)
        return df_error_is_memory() ? 1 : 2;
    if (sweep->config->dry_run)
        return sweep_plan_print(stdout, &sweep->plan) == 0 ? 0 : 1;
    const volatile sig_atomic_t *stop = interrupt_flag();
    if (make_runs(sweep, stop) != 0)
        return 1;
    return *stop ? EXIT_INTERRUPTED : 0;
}

int command_sweep(struct df_config *config)
{
    struct sweep sweep = {.config = config};
    const int status = run_sweep(&sweep);

    df_features_keeper_close(&sweep.features);
    df_run_lock_close(sweep.lock);
    sweep_plan_close(&sweep.plan);
    free(sweep.stem);
    free(sweep.html_path);
    free(sweep.csv_path);
    free(sweep.features_path);
    return status;
}
