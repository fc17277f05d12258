#include "dinoft/corruption_report.h"

#include "corruption_plots.h"
#include "corruption_samples.h"
#include "html.h"

#include "dinoft/error.h"

#include <math.h>

/* Of both tables; clang-format would take the braces apart. */
/* clang-format off */
#define SCORE_COLUMNS \
    {"mIoU, %", true}, {"drop, points", true}, {"of clean, %", true}, {"reference IoU (August 2025), %", true}, \
    {"reference mIoU (October 2025), %", true}, {"pixel accuracy, %", true}
/* clang-format on */
static const struct df_html_column summary_columns[] = {{"", false}, {"corruptions", true}, SCORE_COLUMNS};
static const struct df_html_column row_columns[] = {{"", false}, SCORE_COLUMNS};

#define SUMMARY_COLUMNS (sizeof summary_columns / sizeof *summary_columns)
#define ROW_COLUMNS     (sizeof row_columns / sizeof *row_columns)

static void write_mean(FILE *page, const struct df_corruption_mean *mean)
{
    df_html_number(page, 100.0 * mean->miou, 2);
    df_html_number(page, 100.0 * mean->drop, 2);
    df_html_number(page, 100.0 * mean->relative, 1);
    df_html_number(page, 100.0 * mean->reference_iou, 2);
    df_html_number(page, 100.0 * mean->reference_miou, 2);
    df_html_number(page, 100.0 * mean->pixel_accuracy, 2);
}

static void write_clean(FILE *page, const struct df_corruption_cell *clean)
{
    df_html_row_begin(page, "clean");
    df_html_cell(page, "");
    df_html_number(page, clean->done ? 100.0 * clean->miou : NAN, 2);
    df_html_cell(page, "");
    df_html_cell(page, "");
    df_html_number(page, clean->done ? 100.0 * clean->reference_iou : NAN, 2);
    df_html_number(page, clean->done ? 100.0 * clean->reference_miou : NAN, 2);
    df_html_number(page, clean->done ? 100.0 * clean->pixel_accuracy : NAN, 2);
    df_html_row_end(page);
}

/* Nothing for means over nothing. */
static void write_part(FILE *page, const struct df_corruption_results *results,
                       struct df_corruption_part part, const char *name)
{
    struct df_corruption_mean mean;
    df_corruption_mean(results, part, &mean);
    if (mean.corruptions == 0)
        return;
    df_html_row_begin(page, name);
    df_html_count(page, mean.corruptions);
    write_mean(page, &mean);
    df_html_row_end(page);
}

static void write_overall(FILE *page, const struct df_corruption_results *results)
{
    struct df_corruption_mean mean;
    char name[64];

    df_corruption_mean(results, (struct df_corruption_part){.common = true}, &mean);
    if (mean.corruptions == DF_CORRUPTIONS_COMMON)
        snprintf(name, sizeof name, "mean of the %d common", DF_CORRUPTIONS_COMMON);
    else
        snprintf(name, sizeof name, "mean of %d of the %d common", mean.corruptions, DF_CORRUPTIONS_COMMON);
    write_part(page, results, (struct df_corruption_part){.common = true}, name);
    write_part(page, results, (struct df_corruption_part){.common = false}, "mean of all");
}

static void write_summary(FILE *page, const struct df_corruption_results *results)
{
    df_html_heading(page, "Summary");
    df_html_table_begin(page, NULL, summary_columns, SUMMARY_COLUMNS);
    write_clean(page, &results->clean);
    write_overall(page, results);
    for (size_t i = 0; i < results->n_rows; i++) {
        if (df_corruption_starts_family(results, i))
            write_part(page, results, (struct df_corruption_part){.family = results->rows[i].family},
                       results->rows[i].family);
    }
    df_html_table_end(page);
    fputs(
        "<p class=\"note\">Means over corruptions of their means over severities; that of ImageNet-C's "
        "fifteen common ones is the mean corruption mIoU. Drop: clean mIoU less mIoU. The reference IoU and "
        "mIoU are dinov2-finetune's own numbers at the times given: the first is computed on the bits of "
        "class numbers and no mIoU, the second is a mean over batches.</p>\n",
        page);
}

/* How much is missing, and why corruptions were left out. */
static void write_gaps(FILE *page, const struct df_corruption_results *results)
{
    int missing = results->clean.done ? 0 : 1, all = 1;

    for (size_t i = 0; i < results->n_rows; i++) {
        const struct df_corruption_row *row = &results->rows[i];
        if (row->skipped) {
            fputs("<p class=\"note\">", page);
            df_html_text(page, row->name);
            fputs(" was skipped: ", page);
            df_html_text(page, row->skipped);
            fputs("</p>\n", page);
            continue;
        }
        for (int s = 0; s < results->n_severities; s++, all++)
            missing += !row->cells[results->severities[s] - 1].done;
    }
    if (missing > 0)
        fprintf(page,
                "<p class=\"note\">Not finished: %d of %d measurements are missing, and with them the means "
                "that they "
                "belong to.</p>\n",
                missing, all);
}

static void write_table(FILE *page, const struct df_corruption_results *results)
{
    df_html_table_begin(page, "Means over severities.", row_columns, ROW_COLUMNS);
    for (size_t i = 0; i < results->n_rows; i++) {
        const struct df_corruption_row *row = &results->rows[i];
        struct df_corruption_mean mean;
        if (df_corruption_starts_family(results, i))
            df_html_group(page, row->family, ROW_COLUMNS);
        df_corruption_row_mean(results, row, &mean);
        df_html_row_begin(page, row->name);
        write_mean(page, &mean);
        df_html_row_end(page);
    }
    df_html_table_end(page);
}

static int write_sections(FILE *page, const void *content)
{
    const struct df_corruption_report *report = content;
    const struct df_corruption_results *results = report->results;

    df_html_facts(page, report->facts, report->n_facts);
    write_summary(page, results);
    write_gaps(page, results);
    df_html_heading(page, "Corruptions and severities");
    DF_TRY(corruption_plot_matrix(page, results));
    df_html_heading(page, "Corruptions");
    DF_TRY(corruption_plot_bars(page, results));
    write_table(page, results);
    df_html_heading(page, "Severities");
    DF_TRY(corruption_plot_lines(page, results));
    corruption_write_samples(page, report->samples);
    return 0;
}

int df_corruption_report_write(const char *path, const struct df_corruption_report *report)
{
    return df_html_write(path, report->title, write_sections, report);
}
