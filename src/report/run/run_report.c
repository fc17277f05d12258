#include "dinoft/run_report.h"

#include "run_page.h"
#include "run_parts.h"

#include "dinoft/best_score.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The runs of a page, the best one first. */
struct report {
    struct df_run_history *histories[DF_RUNS_MOST]; /* [count] */
    struct run_shown shown[DF_RUNS_MOST];           /* with labels of their own */
    size_t count;
    enum df_best_metric metric; /* by which they are compared */
    const struct df_run_page_texts *texts;
    bool metrics_differ; /* the runs have chosen their best checkpoints by others */
};

/* A name, or the whole path where another run has the same. */
static const char *name_of(const struct report *report, size_t index)
{
    const struct df_run_history *history = report->histories[index];

    for (size_t i = 0; i < report->count; i++) {
        if (i != index && strcmp(report->histories[i]->name, history->name) == 0)
            return history->prefix;
    }
    return history->name;
}

static double best_score(const struct df_run_history *history, enum df_best_metric metric)
{
    const int64_t best = df_run_best(history, metric);
    return best >= 0 ? df_run_score(&history->validations[best], metric) : NAN;
}

/* Runs without a score come last; of equal ones, the one that was named first comes first. */
static void sort_runs(struct report *report)
{
    for (size_t i = 1; i < report->count; i++) {
        struct df_run_history *history = report->histories[i];
        const double score = best_score(history, report->metric);
        size_t at = i;
        for (; at > 0; at--) {
            const double before = best_score(report->histories[at - 1], report->metric);
            if (isnan(before) ? isnan(score) : !df_best_is_better(report->metric, score, before))
                break;
            report->histories[at] = report->histories[at - 1];
        }
        report->histories[at] = history;
    }
}

/* With its place in front: a plot has no room for the end of a long name, which may be all in which it
 * differs from another. */
static int label_runs(struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        report->shown[i] =
            (struct run_shown){report->histories[i], df_text_format("%zu: %s", i + 1, name_of(report, i))};
        if (!report->shown[i].label)
            return -1;
    }
    return 0;
}

static int order(struct report *report)
{
    report->metric = report->histories[0]->best_metric;
    for (size_t i = 1; i < report->count; i++)
        report->metrics_differ |= report->histories[i]->best_metric != report->metric;
    if (report->metrics_differ)
        report->metric = DF_BEST_MIOU;
    sort_runs(report);
    return label_runs(report);
}

/* A number of a validation; index -1: none. */
static void write_score(FILE *page, const struct df_run_history *history, int64_t index,
                        enum df_best_metric metric)
{
    const bool is_loss = metric == DF_BEST_LOSS;
    const double score = index >= 0 ? df_run_score(&history->validations[index], metric) : NAN;

    df_html_number(page, is_loss ? score : 100.0 * score, is_loss ? 4 : 2);
}

static void write_run(FILE *page, const struct report *report, size_t index)
{
    const struct df_run_history *history = report->histories[index];
    const int64_t best = df_run_best(history, report->metric), last = history->n_validations - 1;
    char time[RUN_TIME_TEXT];

    df_html_row_begin(page, report->shown[index].label);
    write_score(page, history, best, report->metric);
    df_html_number(page, best >= 0 ? (double)history->validations[best].epoch : NAN, 0);
    write_score(page, history, last, DF_BEST_MIOU);
    write_score(page, history, last, DF_BEST_PIXEL_ACCURACY);
    write_score(page, history, last, DF_BEST_LOSS);
    df_html_number(page, history->n_epochs > 0 ? history->train_loss[history->n_epochs - 1] : NAN, 4);
    df_html_count(page, history->n_epochs);
    df_html_cell(page, run_training_time(history, time) ? time : "\xe2\x80\x93");
    df_html_row_end(page);
}

static void write_runs(FILE *page, const struct report *report)
{
    char best[64];

    snprintf(best, sizeof best, "best %s%s", df_best_metric_title(report->metric),
             report->metric == DF_BEST_LOSS ? "" : ", %");
    const struct df_html_column columns[] = {
        {"run", false},          {best, true},        {"epoch", true},       {"mIoU, %", true},
        {"pixel acc., %", true}, {"val. loss", true}, {"train. loss", true}, {"epochs", true},
        {"time", false}};
    df_html_heading(page, "Runs");
    if (report->metrics_differ)
        fputs("<p>The runs have chosen their best checkpoints by different numbers "
              "(<code>--best_metric</code>): "
              "here they are compared by mIoU.</p>\n",
              page);
    df_html_table_begin(
        page,
        "The best run first: its best validation, what its last validation and epoch gave, and how "
        "many epochs it has. The time is that of the training steps, without validations.",
        columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < report->count; i++)
        write_run(page, report, i);
    df_html_table_end(page);
    for (size_t i = 0; i < report->count; i++)
        run_notes_write(page, report->histories[i]);
}

static int write_sections(FILE *page, const void *content)
{
    const struct report *report = content;

    run_made_write(page, report->texts->program);
    write_runs(page, report);
    DF_TRY(run_curves_write(page, report->shown, report->count));
    return run_settings_differences(page, report->shown, report->count);
}

static int write_comparison(const char *path, const struct report *report)
{
    char title[64];

    snprintf(title, sizeof title, "%zu training runs", report->count);
    return df_html_write(path, title, write_sections, report);
}

static int write_page(const char *path, struct report *report)
{
    const struct run_page page = {
        .history = report->histories[0], .texts = *report->texts, .validation_seconds = NAN};

    if (report->count == 1)
        return run_page_write(path, &page);
    return order(report) == 0 ? write_comparison(path, report) : -1;
}

int df_run_report_write(const char *path, char *const *prefixes, size_t count,
                        const struct df_run_page_texts *texts)
{
    struct report report = {.texts = texts};
    int status = 0;

    assert(count >= 1 && count <= DF_RUNS_MOST);
    for (size_t i = 0; i < count && status == 0; i++) {
        report.histories[i] = df_run_history_read(prefixes[i]);
        report.count++;
        status = report.histories[i] ? 0 : -1;
    }
    if (status == 0)
        status = write_page(path, &report);
    for (size_t i = 0; i < report.count; i++) {
        df_run_history_free(report.histories[i]);
        free((char *)report.shown[i].label);
    }
    return status;
}
