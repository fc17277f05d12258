#include "dinoft/metrics.h"
#include "dinoft/json_writer.h"

static void add_class(struct df_json *json, const struct df_metrics *metrics, int class_index,
                      const char *name)
{
    struct df_class_scores scores;

    df_metrics_class(metrics, class_index, &scores);
    df_json_object(json, NULL);
    df_json_text(json, "name", name);
    df_json_number(json, "iou", scores.iou);
    df_json_number(json, "accuracy", scores.accuracy);
    df_json_number(json, "dice", scores.dice);
    df_json_integer(json, "pixels", scores.pixels);
    df_json_close(json);
}

static void add_confusion(struct df_json *json, const struct df_metrics *metrics)
{
    df_json_array(json, "confusion");
    for (int label = 0; label < metrics->n_classes; label++) {
        df_json_array(json, NULL);
        for (int prediction = 0; prediction < metrics->n_classes; prediction++)
            df_json_integer(json, NULL, metrics->confusion[(int64_t)label * metrics->n_classes + prediction]);
        df_json_close(json);
    }
    df_json_close(json);
}

static void add_prototypes(struct df_json *json, const struct df_prototype_source *prototypes)
{
    const struct df_dataset *set = prototypes->set;

    df_json_object(json, "prototypes");
    df_json_integer(json, "training_images", set->count);
    if (prototypes->shots > 0) {
        df_json_integer(json, "shots", prototypes->shots);
        df_json_integer(json, "seed", prototypes->seed);
        df_json_array(json, "training_image_names");
        for (int64_t i = 0; i < set->count; i++)
            df_json_text(json, NULL, set->samples[i].name);
        df_json_close(json);
    }
    df_json_close(json);
}

int df_metrics_write_json(const char *path, const struct df_metrics *metrics, char *const *names,
                          int64_t batch_size, const struct df_prototype_source *prototypes)
{
    struct df_scores scores;
    struct df_json json = {0};

    df_metrics_scores(metrics, &scores);
    df_json_object(&json, NULL);
    df_json_number(&json, "miou", scores.miou);
    df_json_number(&json, "pixel_accuracy", scores.pixel_accuracy);
    df_json_number(&json, "mean_accuracy", scores.mean_accuracy);
    df_json_number(&json, "dice", scores.dice);
    df_json_number(&json, "reference_iou", scores.reference_iou);
    df_json_number(&json, "reference_miou", scores.reference_miou);
    df_json_integer(&json, "batch_size", batch_size);
    df_json_number(&json, "loss", scores.loss);
    df_json_array(&json, "per_class");
    for (int i = 0; i < metrics->n_classes; i++)
        add_class(&json, metrics, i, names[i]);
    df_json_close(&json);
    add_confusion(&json, metrics);
    if (prototypes && prototypes->set)
        add_prototypes(&json, prototypes);
    df_json_close(&json);
    return df_json_write(&json, path);
}
