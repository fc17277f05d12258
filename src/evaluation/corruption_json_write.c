#include "dinoft/corruption_results.h"

#include "dinoft/json_file.h"
#include "dinoft/version.h"

#include <cjson/cJSON.h>

static void add_scores(cJSON *object, double miou, double reference_iou, double pixel_accuracy)
{
    cJSON_AddItemToObject(object, "miou", df_json_exact(miou));
    cJSON_AddItemToObject(object, "reference_iou", df_json_exact(reference_iou));
    cJSON_AddItemToObject(object, "pixel_accuracy", df_json_exact(pixel_accuracy));
}

static cJSON *cell_node(const struct df_corruption_cell *cell)
{
    if (!cell->done)
        return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    add_scores(object, cell->miou, cell->reference_iou, cell->pixel_accuracy);
    return object;
}

static cJSON *mean_node(const struct df_corruption_mean *mean)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "corruptions", mean->corruptions);
    add_scores(object, mean->miou, mean->reference_iou, mean->pixel_accuracy);
    cJSON_AddItemToObject(object, "drop", df_json_exact(mean->drop));
    cJSON_AddItemToObject(object, "relative", df_json_exact(mean->relative));
    return object;
}

static cJSON *part_node(const struct df_corruption_results *results, struct df_corruption_part part)
{
    struct df_corruption_mean mean;
    df_corruption_mean(results, part, &mean);
    return mean_node(&mean);
}

static cJSON *row_node(const struct df_corruption_results *results, const struct df_corruption_row *row)
{
    struct df_corruption_mean mean;
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToObject(object, "name", df_json_text(row->name));
    cJSON_AddItemToObject(object, "family", df_json_text(row->family));
    cJSON_AddBoolToObject(object, "common", row->common);
    cJSON_AddItemToObject(object, "skipped", row->skipped ? df_json_text(row->skipped) : cJSON_CreateNull());
    cJSON *cells = cJSON_AddArrayToObject(object, "cells");
    for (int i = 0; i < results->n_severities; i++)
        cJSON_AddItemToArray(cells, cell_node(&row->cells[results->severities[i] - 1]));
    df_corruption_row_mean(results, row, &mean);
    cJSON_AddItemToObject(object, "mean", mean_node(&mean));
    return object;
}

static void add_means(cJSON *object, const struct df_corruption_results *results)
{
    cJSON *means = cJSON_AddObjectToObject(object, "means");

    cJSON_AddItemToObject(means, "common", part_node(results, (struct df_corruption_part){.common = true}));
    cJSON_AddItemToObject(means, "all", part_node(results, (struct df_corruption_part){.common = false}));
    cJSON *families = cJSON_AddObjectToObject(means, "families");
    for (size_t i = 0; i < results->n_rows; i++) {
        const char *family = results->rows[i].family;
        if (df_corruption_starts_family(results, i))
            cJSON_AddItemToObject(families, family,
                                  part_node(results, (struct df_corruption_part){.family = family}));
    }
}

int df_corruption_results_write(const char *path, const struct df_corruption_results *results,
                                const char *key, const struct df_fact *facts, size_t n_facts)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToObject(object, "key", df_json_text(key));
    cJSON_AddStringToObject(object, "version", DINOFT_VERSION);
    cJSON_AddItemToObject(object, "suite", df_json_text(results->suite));
    cJSON_AddItemToObject(object, "severities",
                          cJSON_CreateIntArray(results->severities, results->n_severities));
    cJSON *fact_node = cJSON_AddObjectToObject(object, "facts");
    for (size_t i = 0; i < n_facts; i++)
        cJSON_AddItemToObject(fact_node, facts[i].name, df_json_text(facts[i].value));
    cJSON_AddItemToObject(object, "clean", cell_node(&results->clean));
    cJSON *rows = cJSON_AddArrayToObject(object, "corruptions");
    for (size_t i = 0; i < results->n_rows; i++)
        cJSON_AddItemToArray(rows, row_node(results, &results->rows[i]));
    add_means(object, results);
    const int status = df_json_write(path, object);
    cJSON_Delete(object);
    return status;
}
