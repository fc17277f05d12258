#include "sweep_results.h"

#include "run_parts.h"

#include "dinoft/best_score.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- runs --- */

static void take_scores(struct sweep_row *row, const struct df_run_history *history,
                        enum df_best_metric metric)
{
    const int64_t best = df_run_best(history, metric), last = history->n_validations - 1;

    row->seconds = run_training_seconds(history);
    if (best >= 0) {
        row->best = df_run_score(&history->validations[best], metric);
        row->epoch = history->validations[best].epoch;
    }
    if (last >= 0) {
        row->last = df_run_score(&history->validations[last], metric);
        row->loss = df_run_score(&history->validations[last], DF_BEST_LOSS);
    }
}

static int read_row(struct sweep_row *row, const struct df_sweep *sweep, const struct df_sweep_run *run)
{
    *row = (struct sweep_row){.run = run, .best = NAN, .last = NAN, .loss = NAN, .seconds = NAN};
    if (run->failure)
        return 0;
    struct df_run_history *history = df_run_history_read(run->prefix);
    if (!history)
        return -1;
    take_scores(row, history, sweep->metric);
    row->is_unmeasured = history->is_unmeasured;
    df_run_history_free(history);
    return 0;
}

/* Whether a comes before b. */
static bool is_before(enum df_best_metric metric, double a, double b)
{
    return isnan(b) ? !isnan(a) : df_best_is_better(metric, a, b);
}

/* Of runs without a score those come last that have failed. */
static bool is_row_before(enum df_best_metric metric, const struct sweep_row *a, const struct sweep_row *b)
{
    if (isnan(a->best) && isnan(b->best))
        return !a->run->failure && b->run->failure;
    return is_before(metric, a->best, b->best);
}

static void sort_rows(struct sweep_results *results)
{
    for (int i = 1; i < results->sweep->count; i++) {
        const struct sweep_row row = results->rows[i];
        int at = i;
        for (; at > 0 && is_row_before(results->sweep->metric, &row, &results->rows[at - 1]); at--)
            results->rows[at] = results->rows[at - 1];
        results->rows[at] = row;
    }
}

/* --- groups --- */

static void add_to_group(struct sweep_group *group, const struct sweep_row *row)
{
    if (!group->run)
        *group = (struct sweep_group){.run = row->run,
                                      .mean = NAN,
                                      .deviation = NAN,
                                      .lowest = NAN,
                                      .highest = NAN,
                                      .last = NAN,
                                      .loss = NAN};
    if (row->run->failure) {
        group->failed++;
        return;
    }
    const bool first = group->finished++ == 0;
    group->mean = (first ? 0.0 : group->mean) + row->best; /* sums, until all are there */
    group->last = (first ? 0.0 : group->last) + row->last;
    group->loss = (first ? 0.0 : group->loss) + row->loss;
    group->lowest = fmin(group->lowest, row->best);
    group->highest = fmax(group->highest, row->best);
}

static void add_to_deviation(struct sweep_group *group, const struct sweep_row *row)
{
    const double other = row->best - group->mean;

    if (group->finished < 2 || row->run->failure)
        return;
    group->deviation = (isnan(group->deviation) ? 0.0 : group->deviation) + other * other;
}

static void sort_groups(struct sweep_results *results)
{
    for (int i = 1; i < results->sweep->n_groups; i++) {
        const struct sweep_group group = results->groups[i];
        int at = i;
        for (; at > 0 && is_before(results->sweep->metric, group.mean, results->groups[at - 1].mean); at--)
            results->groups[at] = results->groups[at - 1];
        results->groups[at] = group;
    }
}

/* rows: in the order of the runs' numbers or any other. */
static void make_groups(struct sweep_results *results)
{
    const struct df_sweep *sweep = results->sweep;
    struct sweep_group *groups = results->groups;

    for (int i = 0; i < sweep->count; i++)
        add_to_group(&groups[results->rows[i].run->group], &results->rows[i]);
    for (int i = 0; i < sweep->n_groups; i++) {
        groups[i].mean /= groups[i].finished;
        groups[i].last /= groups[i].finished;
        groups[i].loss /= groups[i].finished;
    }
    for (int i = 0; i < sweep->count; i++)
        add_to_deviation(&groups[results->rows[i].run->group], &results->rows[i]);
    for (int i = 0; i < sweep->n_groups; i++)
        groups[i].deviation = sqrt(groups[i].deviation / (groups[i].finished - 1));
    sort_groups(results);
}

const struct sweep_group *sweep_group_of(const struct sweep_results *results, const struct df_sweep_run *run)
{
    const struct sweep_group *group = results->groups;

    while (group->run->group != run->group)
        group++;
    return group;
}

/* --- all --- */

int sweep_results_read(struct sweep_results *results, const struct df_sweep *sweep)
{
    const size_t rows = (size_t)sweep->count, groups = (size_t)sweep->n_groups;

    *results = (struct sweep_results){.sweep = sweep,
                                      .rows = calloc(rows, sizeof *results->rows),
                                      .groups = calloc(groups, sizeof *results->groups)};
    if (!results->rows || !results->groups)
        return df_error_memory("the results of a sweep",
                               rows * sizeof *results->rows + groups * sizeof *results->groups);
    for (int i = 0; i < sweep->count; i++) {
        DF_TRY(read_row(&results->rows[i], sweep, &sweep->runs[i]));
        results->unmeasured += results->rows[i].is_unmeasured;
    }
    sort_rows(results);
    make_groups(results);
    return 0;
}

void sweep_results_close(struct sweep_results *results)
{
    free(results->rows);
    free(results->groups);
}

/* --- as text --- */

char *sweep_run_label(const struct df_sweep *sweep, const struct df_sweep_run *run, bool with_seed)
{
    char *label = df_text_copy("");

    for (int i = 0; label && i < sweep->n_varied; i++) {
        if (i == sweep->seed && !with_seed)
            continue;
        char *longer =
            df_text_format("%s%s%s=%s", label, *label ? " " : "", sweep->varied[i], run->values[i]);
        free(label);
        label = longer;
    }
    if (!label || *label)
        return label;
    free(label);
    return df_text_copy("all");
}

bool sweep_unmeasured_text(const struct sweep_results *results, char text[SWEEP_UNMEASURED_TEXT])
{
    if (results->unmeasured == 0)
        return false;
    snprintf(
        text, SWEEP_UNMEASURED_TEXT,
        "%d of the %d runs had no validation images: they have no scores, and stand in the order in which "
        "they ran.",
        results->unmeasured, results->sweep->count);
    return true;
}

double sweep_shown_score(const struct df_sweep *sweep, double score)
{
    return sweep->metric == DF_BEST_LOSS ? score : 100.0 * score;
}

int sweep_score_decimals(const struct df_sweep *sweep)
{
    return sweep->metric == DF_BEST_LOSS ? 4 : 2;
}

const char *sweep_metric_text(const struct df_sweep *sweep, const char *before, char text[SWEEP_METRIC_TEXT])
{
    snprintf(text, SWEEP_METRIC_TEXT, "%s%s%s", before, df_best_metric_title(sweep->metric),
             sweep->metric == DF_BEST_LOSS ? "" : ", %");
    return text;
}
