#include "dinoft/corruption_results.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int df_corruption_results_init(struct df_corruption_results *results, const char *suite,
                               const int *severities, int n_severities)
{
    assert(n_severities >= 1 && n_severities <= DF_SEVERITIES);
    memset(results, 0, sizeof *results);
    memcpy(results->severities, severities, (size_t)n_severities * sizeof *severities);
    results->n_severities = n_severities;
    results->suite = df_text_copy(suite);
    return results->suite ? 0 : -1;
}

int df_corruption_results_add(struct df_corruption_results *results, const char *name, const char *family,
                              bool common)
{
    const size_t bytes = (results->n_rows + 1) * sizeof *results->rows;
    struct df_corruption_row *rows = realloc(results->rows, bytes);

    if (!rows)
        return df_error_memory("the scores of corruptions", bytes);
    results->rows = rows;
    struct df_corruption_row *row = &rows[results->n_rows];
    *row = (struct df_corruption_row){.common = common};
    row->name = df_text_copy(name);
    row->family = df_text_copy(family);
    if (!row->name || !row->family) {
        free(row->name);
        free(row->family);
        return -1;
    }
    results->n_rows++;
    return 0;
}

int df_corruption_results_skip(struct df_corruption_results *results, const char *reason)
{
    assert(results->n_rows > 0);
    struct df_corruption_row *row = &results->rows[results->n_rows - 1];
    free(row->skipped);
    row->skipped = df_text_copy(reason);
    return row->skipped ? 0 : -1;
}

void df_corruption_results_free(struct df_corruption_results *results)
{
    for (size_t i = 0; i < results->n_rows; i++) {
        free(results->rows[i].name);
        free(results->rows[i].family);
        free(results->rows[i].skipped);
    }
    free(results->rows);
    free(results->suite);
    memset(results, 0, sizeof *results);
}

static void begin_mean(struct df_corruption_mean *mean)
{
    *mean = (struct df_corruption_mean){0};
}

static void end_mean(struct df_corruption_mean *mean, int count, const struct df_corruption_cell *clean)
{
    /* 0 / 0 where there is nothing to take a mean of. */
    mean->miou /= count;
    mean->reference_iou /= count;
    mean->reference_miou /= count;
    mean->pixel_accuracy /= count;
    mean->drop = clean->done ? clean->miou - mean->miou : NAN;
    mean->relative = clean->done && clean->miou > 0.0 ? mean->miou / clean->miou : NAN;
}

/* A cell that is missing makes a mean NaN. */
static void add_cell(struct df_corruption_mean *mean, const struct df_corruption_cell *cell)
{
    mean->miou += cell->done ? cell->miou : NAN;
    mean->reference_iou += cell->done ? cell->reference_iou : NAN;
    mean->reference_miou += cell->done ? cell->reference_miou : NAN;
    mean->pixel_accuracy += cell->done ? cell->pixel_accuracy : NAN;
}

static void row_mean(const struct df_corruption_results *results, const struct df_corruption_row *row,
                     int severity, struct df_corruption_mean *mean)
{
    begin_mean(mean);
    mean->corruptions = row->skipped ? 0 : 1;
    int count = 0;
    for (int i = 0; i < results->n_severities && !row->skipped; i++) {
        if (severity == 0 || severity == results->severities[i]) {
            add_cell(mean, &row->cells[results->severities[i] - 1]);
            count++;
        }
    }
    end_mean(mean, count, &results->clean);
}

void df_corruption_row_mean(const struct df_corruption_results *results, const struct df_corruption_row *row,
                            struct df_corruption_mean *mean)
{
    row_mean(results, row, 0, mean);
}

void df_corruption_mean(const struct df_corruption_results *results, struct df_corruption_part part,
                        struct df_corruption_mean *mean)
{
    begin_mean(mean);
    for (size_t i = 0; i < results->n_rows; i++) {
        const struct df_corruption_row *row = &results->rows[i];
        struct df_corruption_mean one;
        if (row->skipped || (part.common && !row->common) ||
            (part.family && strcmp(part.family, row->family) != 0))
            continue;
        row_mean(results, row, part.severity, &one);
        mean->miou += one.miou;
        mean->reference_iou += one.reference_iou;
        mean->reference_miou += one.reference_miou;
        mean->pixel_accuracy += one.pixel_accuracy;
        mean->corruptions++;
    }
    end_mean(mean, mean->corruptions, &results->clean);
}

bool df_corruption_starts_family(const struct df_corruption_results *results, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(results->rows[i].family, results->rows[row].family) == 0)
            return false;
    }
    return true;
}
