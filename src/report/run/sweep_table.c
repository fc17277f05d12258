/* The results of a sweep as a CSV file and for the terminal. */
#include "sweep_results.h"

#include "run_parts.h"

#include "../csv.h"

#include "dinoft/atomic_write.h"
#include "dinoft/best_score.h"
#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- CSV --- */

static void write_header(FILE *file, const struct df_sweep *sweep)
{
    fputs("run", file);
    for (int i = 0; i < sweep->n_varied; i++)
        fprintf(file, ",%s", sweep->varied[i]);
    fputs(",metric,best,best_epoch,last,val_loss,seconds,group_runs,group_mean,group_deviation,error\n",
          file);
}

static void write_row(FILE *file, const struct sweep_results *results, const struct sweep_row *row)
{
    const struct df_sweep *sweep = results->sweep;
    const struct sweep_group *group = sweep_group_of(results, row->run);
    const double numbers[] = {row->best,    row->epoch > 0 ? (double)row->epoch : NAN,
                              row->last,    row->loss,
                              row->seconds, group->finished,
                              group->mean,  group->deviation};

    df_csv_text(file, row->run->prefix);
    for (int i = 0; i < sweep->n_varied; i++) {
        putc(',', file);
        df_csv_text(file, row->run->values[i]);
    }
    putc(',', file);
    df_csv_text(file, df_best_metric_title(sweep->metric));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        putc(',', file);
        df_csv_number(file, numbers[i]);
    }
    putc(',', file);
    df_csv_text(file, row->run->failure ? row->run->failure : "");
    putc('\n', file);
}

int sweep_csv_write(const char *path, const struct sweep_results *results)
{
    struct df_atomic_file *file = df_atomic_open(path);

    if (!file)
        return -1;
    write_header(df_atomic_stream(file), results->sweep);
    for (int i = 0; i < results->sweep->count; i++)
        write_row(df_atomic_stream(file), results, &results->rows[i]);
    return df_atomic_commit(file);
}

/* --- the terminal --- */

#define WIDTH 9 /* of a number */

struct table {
    FILE *stream;
    const struct sweep_results *results;
    int label_width;
};

static void print_number(const struct table *table, double value, int decimals)
{
    if (isnan(value))
        fprintf(table->stream, "%*s", WIDTH, "-");
    else
        fprintf(table->stream, "%*.*f", WIDTH, decimals, value);
}

static void print_score(const struct table *table, double score)
{
    const struct df_sweep *sweep = table->results->sweep;

    print_number(table, sweep_shown_score(sweep, score), sweep_score_decimals(sweep));
}

static void print_header(const struct table *table, const char *const *columns)
{
    char metric[SWEEP_METRIC_TEXT];

    fprintf(table->stream, "\n%-*s", table->label_width,
            sweep_metric_text(table->results->sweep, "", metric));
    for (; *columns; columns++)
        fprintf(table->stream, "%*s", WIDTH, *columns);
    putc('\n', table->stream);
}

static int print_label(const struct table *table, const struct df_sweep_run *run, bool with_seed)
{
    char *label = sweep_run_label(table->results->sweep, run, with_seed);

    if (label)
        fprintf(table->stream, "%-*s", table->label_width, label);
    free(label);
    return label ? 0 : -1;
}

static int print_row(const struct table *table, const struct sweep_row *row)
{
    char time[RUN_TIME_TEXT] = "-";

    DF_TRY(print_label(table, row->run, true));
    if (row->run->failure) {
        fprintf(table->stream, "   failed\n");
        return 0;
    }
    print_score(table, row->best);
    print_number(table, row->epoch > 0 ? (double)row->epoch : NAN, 0);
    print_score(table, row->last);
    print_number(table, row->loss, 4);
    if (!isnan(row->seconds))
        run_time_text(row->seconds, time);
    fprintf(table->stream, "%*s\n", WIDTH, time);
    return 0;
}

static int print_group(const struct table *table, const struct sweep_group *group)
{
    DF_TRY(print_label(table, group->run, false));
    print_score(table, group->mean);
    print_score(table, group->deviation);
    print_score(table, group->lowest);
    print_score(table, group->highest);
    print_score(table, group->last);
    print_number(table, group->loss, 4);
    fprintf(table->stream, "%*d", WIDTH, group->finished);
    fprintf(table->stream, group->failed > 0 ? "  (%d failed)\n" : "\n", group->failed);
    return 0;
}

static int find_width(struct table *table)
{
    const struct df_sweep *sweep = table->results->sweep;
    size_t width = strlen("reference mIoU, %");

    for (int i = 0; i < sweep->count; i++) {
        char *label = sweep_run_label(sweep, &sweep->runs[i], true);
        if (!label)
            return -1;
        width = strlen(label) > width ? strlen(label) : width;
        free(label);
    }
    table->label_width = (int)width + 1;
    return 0;
}

int sweep_table_print(FILE *stream, const struct sweep_results *results)
{
    static const char *const of_runs[] = {"best", "epoch", "last", "val loss", "time", NULL};
    static const char *const of_groups[] = {"mean", "sd",       "lowest", "highest",
                                            "last", "val loss", "runs",   NULL};
    struct table table = {stream, results, 0};
    char unmeasured[SWEEP_UNMEASURED_TEXT];

    DF_TRY(find_width(&table));
    print_header(&table, of_runs);
    for (int i = 0; i < results->sweep->count; i++)
        DF_TRY(print_row(&table, &results->rows[i]));
    if (sweep_unmeasured_text(results, unmeasured))
        fprintf(stream, "%s\n", unmeasured);
    if (results->sweep->seed < 0)
        return 0;
    print_header(&table, of_groups);
    for (int i = 0; i < results->sweep->n_groups; i++)
        DF_TRY(print_group(&table, &results->groups[i]));
    return 0;
}
