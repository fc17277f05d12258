/* The page about a sweep. */
#include "dinoft/sweep_report.h"

#include "run_parts.h"
#include "sweep_results.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define COLUMNS_MOST (DF_SWEEP_VARIED_MOST + 8)

struct report {
    const struct sweep_results *results;
    const struct df_run_page_texts *texts;
    struct df_run_history *histories[DF_RUNS_MOST]; /* [count]: of the best runs, for their curves */
    struct run_shown shown[DF_RUNS_MOST];           /* with labels of their own */
    size_t count;
};

/* Begins a table: the flags that vary, but for the seed where that is left out, then the other columns. */
static void begin_table(FILE *page, const struct df_sweep *sweep, bool with_seed, const char *caption,
                        const struct df_html_column *others, size_t n_others)
{
    struct df_html_column columns[COLUMNS_MOST] = {{"place", false}};
    size_t count = 1;

    for (int i = 0; i < sweep->n_varied && count + n_others < COLUMNS_MOST; i++) {
        if (with_seed || i != sweep->seed)
            columns[count++] = (struct df_html_column){sweep->varied[i], false};
    }
    for (size_t i = 0; i < n_others; i++)
        columns[count++] = others[i];
    df_html_table_begin(page, caption, columns, count);
}

/* Its place, and its values. */
static void begin_row(FILE *page, const struct df_sweep *sweep, const struct df_sweep_run *run,
                      bool with_seed, int place)
{
    char text[16];

    snprintf(text, sizeof text, "%d", place);
    df_html_row_begin(page, text);
    for (int i = 0; i < sweep->n_varied; i++) {
        if (with_seed || i != sweep->seed)
            df_html_cell(page, run->values[i]);
    }
}

static void write_score(FILE *page, const struct df_sweep *sweep, double score)
{
    df_html_number(page, sweep_shown_score(sweep, score), sweep_score_decimals(sweep));
}

static void write_group(FILE *page, const struct df_sweep *sweep, const struct sweep_group *group, int place)
{
    begin_row(page, sweep, group->run, false, place);
    write_score(page, sweep, group->mean);
    write_score(page, sweep, group->deviation);
    write_score(page, sweep, group->lowest);
    write_score(page, sweep, group->highest);
    write_score(page, sweep, group->last);
    df_html_number(page, group->loss, 4);
    df_html_count(page, group->finished);
    df_html_count(page, group->failed);
    df_html_row_end(page);
}

static void write_groups(FILE *page, const struct sweep_results *results)
{
    const struct df_sweep *sweep = results->sweep;
    char metric[SWEEP_METRIC_TEXT];
    const struct df_html_column columns[] = {{sweep_metric_text(sweep, "mean ", metric), true},
                                             {"deviation", true},
                                             {"lowest", true},
                                             {"highest", true},
                                             {"last", true},
                                             {"val. loss", true},
                                             {"runs", true},
                                             {"failed", true}};

    if (sweep->seed < 0)
        return;
    df_html_heading(page, "Means over seeds");
    begin_table(
        page, sweep, false,
        "The best mean first, of the best validations of runs that differ by their seed alone: with the "
        "sample standard deviation, the lowest and the highest of them, and the means of the last "
        "validation and of its loss.",
        columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < sweep->n_groups; i++)
        write_group(page, sweep, &results->groups[i], i + 1);
    df_html_table_end(page);
}

static void write_run(FILE *page, const struct df_sweep *sweep, const struct sweep_row *row, int place)
{
    char time[RUN_TIME_TEXT] = "\xe2\x80\x93";

    begin_row(page, sweep, row->run, true, place);
    write_score(page, sweep, row->best);
    df_html_number(page, row->epoch > 0 ? (double)row->epoch : NAN, 0);
    write_score(page, sweep, row->last);
    df_html_number(page, row->loss, 4);
    if (!isnan(row->seconds))
        run_time_text(row->seconds, time);
    df_html_cell(page, row->run->failure ? row->run->failure : time);
    df_html_row_end(page);
}

static void write_runs(FILE *page, const struct sweep_results *results)
{
    const struct df_sweep *sweep = results->sweep;
    char metric[SWEEP_METRIC_TEXT];
    const struct df_html_column columns[] = {{sweep_metric_text(sweep, "best ", metric), true},
                                             {"epoch", true},
                                             {"last", true},
                                             {"val. loss", true},
                                             {"time, or why it has failed", false}};

    df_html_heading(page, "Runs");
    if (sweep->metrics_differ)
        fputs("<p>The runs have chosen their best checkpoints by different numbers "
              "(<code>--best_metric</code>): here they are compared by mIoU.</p>\n",
              page);
    begin_table(
        page, sweep, true,
        "The best run first: its best validation, and what its last one gave. The time is that of the "
        "training steps, without validations.",
        columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < sweep->count; i++)
        write_run(page, sweep, &results->rows[i], i + 1);
    df_html_table_end(page);
}

static int write_curves(FILE *page, const struct report *report)
{
    size_t finished = 0;

    for (int i = 0; i < report->results->sweep->count; i++)
        finished += !report->results->rows[i].run->failure;
    if (report->count == 0)
        return 0;
    if (finished > report->count)
        fprintf(page, "<p class=\"note\">The curves are those of the first %zu runs.</p>\n", report->count);
    return run_curves_write(page, report->shown, report->count);
}

static int write_sections(FILE *page, const void *content)
{
    const struct report *report = content;
    char unmeasured[SWEEP_UNMEASURED_TEXT];

    run_made_write(page, report->texts->program);
    if (sweep_unmeasured_text(report->results, unmeasured))
        fprintf(page, "<p>%s</p>\n", unmeasured);
    write_groups(page, report->results);
    write_runs(page, report->results);
    DF_TRY(write_curves(page, report));
    if (report->count == 0)
        return 0;
    fprintf(page, "<p>The configuration below is that of the %s run.</p>\n",
            report->results->rows[0].is_unmeasured ? "first" : "best");
    return run_settings_table(page, report->histories[0], report->texts->defaults);
}

/* The best runs again, with their curves. */
static int read_histories(struct report *report)
{
    const struct df_sweep *sweep = report->results->sweep;

    for (int i = 0; i < sweep->count && report->count < DF_RUNS_MOST; i++) {
        const struct df_sweep_run *run = report->results->rows[i].run;
        if (run->failure)
            continue;
        struct df_run_history *history = df_run_history_read(run->prefix);
        char *name = sweep_run_label(sweep, run, true);
        char *label = name ? df_text_format("%d: %s", i + 1, name) : NULL;
        free(name);
        report->histories[report->count] = history;
        report->shown[report->count++] = (struct run_shown){history, label};
        if (!history || !label)
            return -1;
    }
    return 0;
}

static int write_page(const char *path, const struct sweep_results *results,
                      const struct df_run_page_texts *texts)
{
    struct report report = {.results = results, .texts = texts};
    char *title = df_text_format("Sweep %s: %d training runs", results->sweep->name, results->sweep->count);
    int status = title && read_histories(&report) == 0 ? 0 : -1;

    if (status == 0)
        status = df_html_write(path, title, write_sections, &report);
    for (size_t i = 0; i < report.count; i++) {
        df_run_history_free(report.histories[i]);
        free((char *)report.shown[i].label);
    }
    free(title);
    return status;
}

int df_sweep_report_write(const struct df_sweep *sweep, const char *html_path, const char *csv_path,
                          FILE *table, const struct df_run_page_texts *texts)
{
    struct sweep_results results;
    int status = sweep_results_read(&results, sweep);

    if (status == 0)
        status = sweep_csv_write(csv_path, &results);
    if (status == 0)
        status = write_page(html_path, &results, texts);
    if (status == 0)
        status = sweep_table_print(table, &results);
    sweep_results_close(&results);
    return status;
}
