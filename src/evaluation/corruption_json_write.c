#include "dinoft/corruption_results.h"

#include "dinoft/json_writer.h"
#include "dinoft/version.h"

static void add_scores(struct df_json *json, double miou, double reference_iou, double reference_miou,
                       double pixel_accuracy)
{
    df_json_exact(json, "miou", miou);
    df_json_exact(json, "reference_iou", reference_iou);
    df_json_exact(json, "reference_miou", reference_miou);
    df_json_exact(json, "pixel_accuracy", pixel_accuracy);
}

static void add_cell(struct df_json *json, const char *name, const struct df_corruption_cell *cell)
{
    if (!cell->done) {
        df_json_null(json, name);
        return;
    }
    df_json_object(json, name);
    add_scores(json, cell->miou, cell->reference_iou, cell->reference_miou, cell->pixel_accuracy);
    df_json_close(json);
}

static void add_mean(struct df_json *json, const char *name, const struct df_corruption_mean *mean)
{
    df_json_object(json, name);
    df_json_integer(json, "corruptions", mean->corruptions);
    add_scores(json, mean->miou, mean->reference_iou, mean->reference_miou, mean->pixel_accuracy);
    df_json_exact(json, "drop", mean->drop);
    df_json_exact(json, "relative", mean->relative);
    df_json_close(json);
}

static void add_part(struct df_json *json, const char *name, const struct df_corruption_results *results,
                     struct df_corruption_part part)
{
    struct df_corruption_mean mean;

    df_corruption_mean(results, part, &mean);
    add_mean(json, name, &mean);
}

static void add_row(struct df_json *json, const struct df_corruption_results *results,
                    const struct df_corruption_row *row)
{
    struct df_corruption_mean mean;

    df_json_object(json, NULL);
    df_json_text(json, "name", row->name);
    df_json_text(json, "family", row->family);
    df_json_bool(json, "common", row->common);
    df_json_text(json, "skipped", row->skipped);
    df_json_array(json, "cells");
    for (int i = 0; i < results->n_severities; i++)
        add_cell(json, NULL, &row->cells[results->severities[i] - 1]);
    df_json_close(json);
    df_corruption_row_mean(results, row, &mean);
    add_mean(json, "mean", &mean);
    df_json_close(json);
}

static void add_means(struct df_json *json, const struct df_corruption_results *results)
{
    df_json_object(json, "means");
    add_part(json, "common", results, (struct df_corruption_part){.common = true});
    add_part(json, "all", results, (struct df_corruption_part){.common = false});
    df_json_object(json, "families");
    for (size_t i = 0; i < results->n_rows; i++) {
        const char *family = results->rows[i].family;
        if (df_corruption_starts_family(results, i))
            add_part(json, family, results, (struct df_corruption_part){.family = family});
    }
    df_json_close(json);
    df_json_close(json);
}

int df_corruption_results_write(const char *path, const struct df_corruption_results *results,
                                const char *key, const struct df_fact *facts, size_t n_facts)
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    df_json_text(&json, "key", key);
    df_json_text(&json, "version", DINOFT_VERSION);
    df_json_text(&json, "suite", results->suite);
    df_json_array(&json, "severities");
    for (int i = 0; i < results->n_severities; i++)
        df_json_integer(&json, NULL, results->severities[i]);
    df_json_close(&json);
    df_json_object(&json, "facts");
    for (size_t i = 0; i < n_facts; i++)
        df_json_text(&json, facts[i].name, facts[i].value);
    df_json_close(&json);
    add_cell(&json, "clean", &results->clean);
    df_json_array(&json, "corruptions");
    for (size_t i = 0; i < results->n_rows; i++)
        add_row(&json, results, &results->rows[i]);
    df_json_close(&json);
    add_means(&json, results);
    df_json_close(&json);
    return df_json_write(&json, path);
}
