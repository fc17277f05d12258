#include "corruption_plots.h"

#include "plot/plot.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Names of the severities' columns, and of the mean's behind them. */
static const char *const digits[DF_SEVERITIES] = {"1", "2", "3", "4", "5"};

static size_t name_columns(const struct df_corruption_results *results, const char *names[DF_SEVERITIES + 1])
{
    const size_t count = (size_t)results->n_severities;
    for (size_t i = 0; i < count; i++)
        names[i] = digits[results->severities[i] - 1];
    names[count] = "mean";
    return count;
}

static double clean_percent(const struct df_corruption_results *results)
{
    return results->clean.done ? 100.0 * results->clean.miou : NAN;
}

/* One value a severity, in per cent; NaN where it is missing. */
static void row_values(const struct df_corruption_results *results, const struct df_corruption_row *row,
                       double *values)
{
    for (int i = 0; i < results->n_severities; i++) {
        const struct df_corruption_cell *cell = &row->cells[results->severities[i] - 1];
        values[i] = cell->done ? 100.0 * cell->miou : NAN;
    }
}

/* The top of scales: no value lies above it. */
static double largest_percent(const struct df_corruption_results *results)
{
    double largest = fmax(1.0, clean_percent(results));
    for (size_t i = 0; i < results->n_rows; i++) {
        double values[DF_SEVERITIES];
        row_values(results, &results->rows[i], values);
        for (int s = 0; s < results->n_severities; s++)
            largest = fmax(largest, values[s]);
    }
    return largest;
}

int corruption_plot_matrix(FILE *page, const struct df_corruption_results *results)
{
    const char *columns[DF_SEVERITIES + 1];
    const size_t n_columns = name_columns(results, columns) + 1;
    struct df_heat_row *rows = calloc(results->n_rows + 1, sizeof *rows);
    double *values = malloc((results->n_rows + 1) * n_columns * sizeof *values);

    if (!rows || !values) {
        free(rows);
        free(values);
        return df_error_memory("a plot", (results->n_rows + 1) * n_columns * sizeof *values);
    }
    for (size_t i = 0; i < results->n_rows; i++) {
        const struct df_corruption_row *row = &results->rows[i];
        struct df_corruption_mean mean;
        row_values(results, row, values + i * n_columns);
        df_corruption_row_mean(results, row, &mean);
        values[(i + 1) * n_columns - 1] = 100.0 * mean.miou;
        rows[i] = (struct df_heat_row){.group = row->family,
                                       .name = row->name,
                                       .values = values + i * n_columns,
                                       .instead = row->skipped};
    }
    const struct df_heat_map map = {.corner = "mIoU, % at severity",
                                    .columns = columns,
                                    .n_columns = n_columns,
                                    .n_apart = 1,
                                    .rows = rows,
                                    .n_rows = results->n_rows,
                                    .least = 0.0,
                                    .most = largest_percent(results),
                                    .decimals = 1};
    df_plot_heat_map(page, &map);
    fprintf(page,
            "<p class=\"note\">Light is 0, dark is %.1f&nbsp;%%, the most in the table or without "
            "corruption.</p>\n",
            map.most);
    free(rows);
    free(values);
    return 0;
}

int corruption_plot_bars(FILE *page, const struct df_corruption_results *results)
{
    struct df_bar *bars = calloc(results->n_rows + 1, sizeof *bars);
    size_t count = 0;

    if (!bars)
        return df_error_memory("a plot", (results->n_rows + 1) * sizeof *bars);
    for (size_t i = 0; i < results->n_rows; i++) {
        struct df_corruption_mean mean;
        if (results->rows[i].skipped)
            continue;
        df_corruption_row_mean(results, &results->rows[i], &mean);
        bars[count++] = (struct df_bar){.name = results->rows[i].name, .value = 100.0 * mean.miou};
    }
    const struct df_bar_chart chart = {.label = "mIoU, %, mean over severities",
                                       .bars = bars,
                                       .count = count,
                                       .level = {"clean", clean_percent(results)}};
    const int status = df_plot_bars(page, &chart);
    free(bars);
    return status;
}

static void plot(FILE *page, const struct df_corruption_results *results, const char *title,
                 const struct df_line *lines, size_t n_lines)
{
    const char *columns[DF_SEVERITIES + 1];
    const struct df_line_chart chart = {.title = title,
                                        .x_label = "severity",
                                        .y_label = "mIoU, %",
                                        .x_names = columns,
                                        .n_points = name_columns(results, columns),
                                        .lines = lines,
                                        .n_lines = n_lines,
                                        .most = largest_percent(results),
                                        .level = {"clean", clean_percent(results)}};
    if (n_lines > 0)
        df_plot_lines(page, &chart);
}

/* A line for each family that is measured; their number. */
static size_t family_lines(const struct df_corruption_results *results, struct df_line *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < results->n_rows; i++) {
        struct df_corruption_part part = {.family = results->rows[i].family};
        struct df_corruption_mean mean;
        df_corruption_mean(results, part, &mean);
        if (!df_corruption_starts_family(results, i) || mean.corruptions == 0)
            continue;
        lines[count].name = part.family;
        for (int s = 0; s < results->n_severities; s++) {
            part.severity = results->severities[s];
            df_corruption_mean(results, part, &mean);
            lines[count].values[s] = 100.0 * mean.miou;
        }
        count++;
    }
    return count;
}

/* A line for each corruption of a family that is measured; their number. */
static size_t lines_of_family(const struct df_corruption_results *results, const char *family,
                              struct df_line *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < results->n_rows; i++) {
        const struct df_corruption_row *row = &results->rows[i];
        if (row->skipped || strcmp(row->family, family) != 0)
            continue;
        lines[count].name = row->name;
        row_values(results, row, lines[count].values);
        count++;
    }
    return count;
}

int corruption_plot_lines(FILE *page, const struct df_corruption_results *results)
{
    struct df_line *lines = calloc(results->n_rows + 1, sizeof *lines);

    if (!lines)
        return df_error_memory("a plot", (results->n_rows + 1) * sizeof *lines);
    fputs("<div class=\"panels\">\n", page);
    const size_t families = family_lines(results, lines);
    if (families > 1)
        plot(page, results, "families, mean over their corruptions", lines, families);
    for (size_t i = 0; i < results->n_rows; i++) {
        const char *family = results->rows[i].family;
        if (df_corruption_starts_family(results, i))
            plot(page, results, family, lines, lines_of_family(results, family, lines));
    }
    fputs("</div>\n", page);
    free(lines);
    return 0;
}
