/* The table for the terminal: names in 24 columns, 7 for each severity, 8 for each of the five means, 99 in
 * all. */
#include "dinoft/corruption_report.h"

#include <math.h>

#define NAME_WIDTH     24
#define SEVERITY_WIDTH 7
#define MEAN_WIDTH     8

/* What is printed, and where. */
struct table {
    FILE *stream;
    const struct df_corruption_results *results;
    bool reference_numbers;
};

static void print_percent(const struct table *table, int width, double share)
{
    if (isnan(share))
        fprintf(table->stream, "%*s", width, "-");
    else
        fprintf(table->stream, "%*.2f", width, 100.0 * share);
}

static void print_header(const struct table *table)
{
    fprintf(table->stream, "%-*s", NAME_WIDTH, "mIoU % at severity");
    for (int i = 0; i < table->results->n_severities; i++)
        fprintf(table->stream, "%*d", SEVERITY_WIDTH, table->results->severities[i]);
    fprintf(table->stream, "%*s%*s%*s", MEAN_WIDTH, "mean", MEAN_WIDTH, "drop", MEAN_WIDTH, "% clean");
    if (table->reference_numbers)
        fprintf(table->stream, "%*s%*s", MEAN_WIDTH, "8/2025", MEAN_WIDTH, "10/2025");
    putc('\n', table->stream);
}

/* What the reference project reports of the same, and ends the line. */
static void print_reference(const struct table *table, double iou, double miou)
{
    if (table->reference_numbers) {
        print_percent(table, MEAN_WIDTH, iou);
        print_percent(table, MEAN_WIDTH, miou);
    }
    putc('\n', table->stream);
}

static void print_mean(const struct table *table, const struct df_corruption_mean *mean)
{
    print_percent(table, MEAN_WIDTH, mean->miou);
    print_percent(table, MEAN_WIDTH, mean->drop);
    print_percent(table, MEAN_WIDTH, mean->relative);
    print_reference(table, mean->reference_iou, mean->reference_miou);
}

static void print_clean(const struct table *table)
{
    const struct df_corruption_cell *clean = &table->results->clean;

    fprintf(table->stream, "%-*s", NAME_WIDTH + SEVERITY_WIDTH * table->results->n_severities, "clean");
    print_percent(table, MEAN_WIDTH, clean->done ? clean->miou : NAN);
    if (table->reference_numbers)
        fprintf(table->stream, "%*s", 2 * MEAN_WIDTH, "");
    print_reference(table, clean->done ? clean->reference_iou : NAN,
                    clean->done ? clean->reference_miou : NAN);
}

static void print_row(const struct table *table, const struct df_corruption_row *row)
{
    struct df_corruption_mean mean;

    fprintf(table->stream, "  %-*.*s", NAME_WIDTH - 2, NAME_WIDTH - 3, row->name);
    if (row->skipped) {
        fputs(" skipped\n", table->stream);
        return;
    }
    for (int i = 0; i < table->results->n_severities; i++) {
        const struct df_corruption_cell *cell = &row->cells[table->results->severities[i] - 1];
        print_percent(table, SEVERITY_WIDTH, cell->done ? cell->miou : NAN);
    }
    df_corruption_row_mean(table->results, row, &mean);
    print_mean(table, &mean);
}

/* A line of means over several rows, the severities' own with them; nothing for means over none. */
static void print_part(const struct table *table, struct df_corruption_part part, const char *name)
{
    struct df_corruption_mean mean;

    df_corruption_mean(table->results, part, &mean);
    if (mean.corruptions == 0)
        return;
    fprintf(table->stream, "%-*.*s", NAME_WIDTH, NAME_WIDTH - 1, name);
    for (int i = 0; i < table->results->n_severities; i++) {
        struct df_corruption_mean one;
        part.severity = table->results->severities[i];
        df_corruption_mean(table->results, part, &one);
        print_percent(table, SEVERITY_WIDTH, one.miou);
    }
    print_mean(table, &mean);
}

static void print_overall(const struct table *table)
{
    struct df_corruption_mean mean;
    char name[64];

    df_corruption_mean(table->results, (struct df_corruption_part){.common = true}, &mean);
    if (mean.corruptions == DF_CORRUPTIONS_COMMON)
        snprintf(name, sizeof name, "mean of the %d common", DF_CORRUPTIONS_COMMON);
    else
        snprintf(name, sizeof name, "mean of %d of %d common", mean.corruptions, DF_CORRUPTIONS_COMMON);
    print_part(table, (struct df_corruption_part){.common = true}, name);
    df_corruption_mean(table->results, (struct df_corruption_part){.common = false}, &mean);
    if ((size_t)mean.corruptions == table->results->n_rows)
        snprintf(name, sizeof name, "mean of all %d", mean.corruptions);
    else
        snprintf(name, sizeof name, "mean of %d of %zu", mean.corruptions, table->results->n_rows);
    if (mean.corruptions > 1)
        print_part(table, (struct df_corruption_part){.common = false}, name);
}

void df_corruption_results_print(FILE *stream, const struct df_corruption_results *results,
                                 bool reference_numbers)
{
    const struct table table = {stream, results, reference_numbers};

    print_header(&table);
    print_clean(&table);
    for (size_t i = 0; i < results->n_rows; i++) {
        if (df_corruption_starts_family(results, i))
            print_part(&table, (struct df_corruption_part){.family = results->rows[i].family},
                       results->rows[i].family);
        print_row(&table, &results->rows[i]);
    }
    print_overall(&table);
    if (reference_numbers)
        fputs("8/2025, 10/2025: the reference project's own numbers, reference IoU (August 2025) and\n"
              "reference mIoU (October 2025), in %\n",
              stream);
    for (size_t i = 0; i < results->n_rows; i++) {
        if (results->rows[i].skipped)
            fprintf(stream, "%s was skipped: %s\n", results->rows[i].name, results->rows[i].skipped);
    }
}
