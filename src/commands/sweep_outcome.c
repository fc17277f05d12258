/* From the runs of a sweep to what its report needs to know of them. */
#include "sweep_plan.h"
#include "version.h"

#include "dinoft/error.h"
#include "dinoft/sweep_axes.h"

#include <stdlib.h>

/* The flags that vary, and each run's values of them. */
struct outcome {
    int axes[DF_SWEEP_VARIED_MOST]; /* [sweep.n_varied]: which of config->axes */
    const char *varied[DF_SWEEP_VARIED_MOST];
    struct df_sweep_run *runs; /* [sweep.count] */
    const char **values;       /* [sweep.count][sweep.n_varied] */
    struct df_sweep sweep;
};

static void find_varied(struct outcome *outcome, const struct df_axes *axes)
{
    struct df_sweep *sweep = &outcome->sweep;

    sweep->seed = -1;
    for (int i = 0; i < axes->count; i++) {
        if (axes->items[i].count == 1)
            continue;
        if (axes->items[i].option == DF_OPTION_SEED)
            sweep->seed = sweep->n_varied;
        outcome->axes[sweep->n_varied] = i;
        outcome->varied[sweep->n_varied++] = df_option_name(axes->items[i].option);
    }
    sweep->varied = outcome->varied;
}

/* The number of a run among those of its seed. */
static int group_of(const struct outcome *outcome, const struct df_axes *axes, int run)
{
    int group = 0;

    for (int i = 0; i < outcome->sweep.n_varied; i++) {
        if (i != outcome->sweep.seed)
            group = group * axes->items[outcome->axes[i]].count + df_axes_value(axes, outcome->axes[i], run);
    }
    return group;
}

static void fill_run(struct outcome *outcome, const struct df_axes *axes, const struct sweep_run *run,
                     int number)
{
    const char **values = outcome->values + (size_t)number * (size_t)outcome->sweep.n_varied;

    for (int i = 0; i < outcome->sweep.n_varied; i++) {
        const int axis = outcome->axes[i];
        values[i] = axes->items[axis].values[df_axes_value(axes, axis, number)];
    }
    outcome->runs[number] =
        (struct df_sweep_run){run->prefix, values, group_of(outcome, axes, number), run->failure};
}

static int fill(struct outcome *outcome, const struct sweep_plan *plan, const struct df_axes *axes)
{
    struct df_sweep *sweep = &outcome->sweep;
    const size_t count = (size_t)plan->count;

    find_varied(outcome, axes);
    outcome->runs = calloc(count, sizeof *outcome->runs);
    outcome->values = calloc(count * (size_t)sweep->n_varied, sizeof *outcome->values);
    if (!outcome->runs || !outcome->values)
        return df_error_memory("the outcome of a sweep", count * sizeof *outcome->runs);
    sweep->name = plan->name;
    sweep->metric = plan->runs[0].config.best_metric;
    sweep->runs = outcome->runs;
    sweep->count = plan->count;
    sweep->n_groups = plan->count / (sweep->seed < 0 ? 1 : axes->items[outcome->axes[sweep->seed]].count);
    for (int i = 0; i < plan->count; i++) {
        fill_run(outcome, axes, &plan->runs[i], i);
        sweep->metrics_differ |= plan->runs[i].config.best_metric != sweep->metric;
    }
    if (sweep->metrics_differ)
        sweep->metric = DF_BEST_MIOU;
    return 0;
}

int sweep_plan_report(const struct sweep_plan *plan, const struct df_config *config, const char *html_path,
                      const char *csv_path)
{
    struct outcome outcome = {.runs = NULL};
    char *defaults = df_config_defaults(DF_COMMAND_TRAIN);
    const struct df_run_page_texts texts = {defaults, program_text()};
    int status = defaults && fill(&outcome, plan, config->axes) == 0 ? 0 : -1;

    if (status == 0)
        status = df_sweep_report_write(&outcome.sweep, html_path, csv_path, stdout, &texts);
    free(outcome.runs);
    free(outcome.values);
    free(defaults);
    return status;
}
