#include "dinoft/confusions.h"
#include "dinoft/json_writer.h"
#include "dinoft/metrics.h"

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
    if (metrics->detailed)
        df_json_number(json, "boundary_iou", scores.boundary_iou);
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

/* Those of most pixels, by the classes' numbers and names. */
static void add_ranked(struct df_json *json, const struct df_metrics *metrics, char *const *names)
{
    struct df_confusion ranked[DF_CONFUSIONS_MOST];
    const int count = df_confusions_rank(metrics, DF_CONFUSIONS_MOST, ranked);

    df_json_array(json, "confusions");
    for (int i = 0; i < count; i++) {
        df_json_object(json, NULL);
        df_json_integer(json, "label", ranked[i].label);
        df_json_text(json, "label_name", names[ranked[i].label]);
        df_json_integer(json, "prediction", ranked[i].prediction);
        df_json_text(json, "prediction_name", names[ranked[i].prediction]);
        df_json_integer(json, "pixels", ranked[i].pixels);
        df_json_number(json, "share", ranked[i].share);
        df_json_close(json);
    }
    df_json_close(json);
}

static void add_calibration(struct df_json *json, const struct df_calibration_bin *bins)
{
    df_json_array(json, "calibration");
    for (int i = 0; i < DF_CALIBRATION_BINS; i++) {
        df_json_object(json, NULL);
        df_json_number(json, "above", (double)i / DF_CALIBRATION_BINS);
        df_json_number(json, "up_to", (double)(i + 1) / DF_CALIBRATION_BINS);
        df_json_integer(json, "pixels", bins[i].pixels);
        df_json_number(json, "confidence", df_calibration_confidence(&bins[i]));
        df_json_number(json, "accuracy", df_calibration_accuracy(&bins[i]));
        df_json_close(json);
    }
    df_json_close(json);
}

static void add_interval(struct df_json *json, const struct df_interval *interval)
{
    df_json_object(json, "bootstrap");
    df_json_number(json, "level", 0.95);
    df_json_number(json, "miou_low", interval->low);
    df_json_number(json, "miou_high", interval->high);
    df_json_integer(json, "resamples", interval->resamples);
    df_json_integer(json, "images", interval->images);
    df_json_integer(json, "seed", interval->seed);
    df_json_close(json);
}

static void add_scores(struct df_json *json, const struct df_metrics *metrics,
                       const struct df_metrics_setting *setting)
{
    struct df_scores scores;

    df_metrics_scores(metrics, &scores);
    if (setting->split)
        df_json_text(json, "split", setting->split);
    df_json_number(json, "miou", scores.miou);
    if (setting->interval)
        add_interval(json, setting->interval);
    df_json_number(json, "pixel_accuracy", scores.pixel_accuracy);
    df_json_number(json, "mean_accuracy", scores.mean_accuracy);
    df_json_number(json, "dice", scores.dice);
    if (metrics->detailed) {
        df_json_number(json, "boundary_iou", scores.boundary_iou);
        df_json_number(json, "calibration_error", scores.calibration_error);
        add_calibration(json, metrics->calibration);
    }
    df_json_number(json, "reference_iou", scores.reference_iou);
    df_json_number(json, "reference_miou", scores.reference_miou);
    df_json_integer(json, "batch_size", setting->batch_size);
    df_json_number(json, "loss", scores.loss);
}

int df_metrics_write_json(const char *path, const struct df_metrics *metrics,
                          const struct df_metrics_setting *setting)
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    add_scores(&json, metrics, setting);
    df_json_array(&json, "per_class");
    for (int i = 0; i < metrics->n_classes; i++)
        add_class(&json, metrics, i, setting->names[i]);
    df_json_close(&json);
    add_ranked(&json, metrics, setting->names);
    add_confusion(&json, metrics);
    if (setting->prototypes && setting->prototypes->set)
        add_prototypes(&json, setting->prototypes);
    df_json_close(&json);
    return df_json_write(&json, path);
}
