#include "dinoft/metrics.h"

#include "dinoft/json_file.h"

#include <cjson/cJSON.h>

static cJSON *class_object(const struct df_metrics *metrics, int class_index, const char *name)
{
    struct df_class_scores scores;
    cJSON *object = cJSON_CreateObject();

    df_metrics_class(metrics, class_index, &scores);
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddItemToObject(object, "iou", df_json_number(scores.iou));
    cJSON_AddItemToObject(object, "accuracy", df_json_number(scores.accuracy));
    cJSON_AddItemToObject(object, "dice", df_json_number(scores.dice));
    cJSON_AddItemToObject(object, "pixels", df_json_number((double)scores.pixels));
    return object;
}

static cJSON *confusion_rows(const struct df_metrics *metrics)
{
    cJSON *rows = cJSON_CreateArray();
    for (int label = 0; label < metrics->n_classes; label++) {
        cJSON *row = cJSON_CreateArray();
        for (int guess = 0; guess < metrics->n_classes; guess++)
            cJSON_AddItemToArray(
                row, df_json_number((double)metrics->confusion[(int64_t)label * metrics->n_classes + guess]));
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

int df_metrics_write_json(const char *path, const struct df_metrics *metrics, char *const *names)
{
    struct df_scores scores;
    cJSON *object = cJSON_CreateObject();
    cJSON *classes = cJSON_CreateArray();

    df_metrics_scores(metrics, &scores);
    cJSON_AddItemToObject(object, "miou", df_json_number(scores.miou));
    cJSON_AddItemToObject(object, "pixel_accuracy", df_json_number(scores.pixel_accuracy));
    cJSON_AddItemToObject(object, "mean_accuracy", df_json_number(scores.mean_accuracy));
    cJSON_AddItemToObject(object, "dice", df_json_number(scores.dice));
    cJSON_AddItemToObject(object, "reference_iou", df_json_number(scores.reference_iou));
    cJSON_AddItemToObject(object, "loss", df_json_number(scores.loss));
    for (int i = 0; i < metrics->n_classes; i++)
        cJSON_AddItemToArray(classes, class_object(metrics, i, names[i]));
    cJSON_AddItemToObject(object, "per_class", classes);
    cJSON_AddItemToObject(object, "confusion", confusion_rows(metrics));
    int status = df_json_write(path, object);
    cJSON_Delete(object);
    return status;
}
