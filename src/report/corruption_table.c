/* The table for the terminal: names in 24 columns, 8 for each severity and each of the four means, 96 in all.
 */
#include "dinoft/corruption_report.h"

#include <math.h>

#define NAME_WIDTH 24

static void print_percent(FILE *stream, double share)
{
    if (isnan(share))
        fprintf(stream, "%8s", "-");
    else
        fprintf(stream, "%8.2f", 100.0 * share);
}

static void print_header(FILE *stream, const struct df_corruption_results *results)
{
    fprintf(stream, "%-*s", NAME_WIDTH, "mIoU % at severity");
    for (int i = 0; i < results->n_severities; i++)
        fprintf(stream, "%8d", results->severities[i]);
    fprintf(stream, "%8s%8s%8s%8s\n", "mean", "drop", "% clean", "ref. %");
}

static void print_mean(FILE *stream, const struct df_corruption_mean *mean)
{
    print_percent(stream, mean->miou);
    print_percent(stream, mean->drop);
    print_percent(stream, mean->relative);
    print_percent(stream, mean->reference_iou);
    putc('\n', stream);
}

static void print_clean(FILE *stream, const struct df_corruption_results *results)
{
    const struct df_corruption_cell *clean = &results->clean;

    fprintf(stream, "%-*s", NAME_WIDTH + 8 * results->n_severities, "clean");
    print_percent(stream, clean->done ? clean->miou : NAN);
    fprintf(stream, "%16s", "");
    print_percent(stream, clean->done ? clean->reference_iou : NAN);
    putc('\n', stream);
}

static void print_row(FILE *stream, const struct df_corruption_results *results,
                      const struct df_corruption_row *row)
{
    struct df_corruption_mean mean;

    fprintf(stream, "  %-*.*s", NAME_WIDTH - 2, NAME_WIDTH - 3, row->name);
    if (row->skipped) {
        fputs(" skipped\n", stream);
        return;
    }
    for (int i = 0; i < results->n_severities; i++) {
        const struct df_corruption_cell *cell = &row->cells[results->severities[i] - 1];
        print_percent(stream, cell->done ? cell->miou : NAN);
    }
    df_corruption_row_mean(results, row, &mean);
    print_mean(stream, &mean);
}

/* A line of means over several rows, the severities' own with them; nothing for means over none. */
static void print_part(FILE *stream, const struct df_corruption_results *results,
                       struct df_corruption_part part, const char *name)
{
    struct df_corruption_mean mean;

    df_corruption_mean(results, part, &mean);
    if (mean.corruptions == 0)
        return;
    fprintf(stream, "%-*.*s", NAME_WIDTH, NAME_WIDTH - 1, name);
    for (int i = 0; i < results->n_severities; i++) {
        struct df_corruption_mean one;
        part.severity = results->severities[i];
        df_corruption_mean(results, part, &one);
        print_percent(stream, one.miou);
    }
    print_mean(stream, &mean);
}

static void print_overall(FILE *stream, const struct df_corruption_results *results)
{
    struct df_corruption_mean mean;
    char name[64];

    df_corruption_mean(results, (struct df_corruption_part){.common = true}, &mean);
    if (mean.corruptions == DF_CORRUPTIONS_COMMON)
        snprintf(name, sizeof name, "mean of the %d common", DF_CORRUPTIONS_COMMON);
    else
        snprintf(name, sizeof name, "mean of %d of %d common", mean.corruptions, DF_CORRUPTIONS_COMMON);
    print_part(stream, results, (struct df_corruption_part){.common = true}, name);
    df_corruption_mean(results, (struct df_corruption_part){.common = false}, &mean);
    if ((size_t)mean.corruptions == results->n_rows)
        snprintf(name, sizeof name, "mean of all %d", mean.corruptions);
    else
        snprintf(name, sizeof name, "mean of %d of %zu", mean.corruptions, results->n_rows);
    if (mean.corruptions > 1)
        print_part(stream, results, (struct df_corruption_part){.common = false}, name);
}

void df_corruption_results_print(FILE *stream, const struct df_corruption_results *results)
{
    print_header(stream, results);
    print_clean(stream, results);
    for (size_t i = 0; i < results->n_rows; i++) {
        if (df_corruption_starts_family(results, i))
            print_part(stream, results, (struct df_corruption_part){.family = results->rows[i].family},
                       results->rows[i].family);
        print_row(stream, results, &results->rows[i]);
    }
    print_overall(stream, results);
    for (size_t i = 0; i < results->n_rows; i++) {
        if (results->rows[i].skipped)
            fprintf(stream, "%s was skipped: %s\n", results->rows[i].name, results->rows[i].skipped);
    }
}
