#include "dinoft/data_report.h"

#include "dinoft/json_writer.h"

#include <math.h>

static void write_sides(struct df_json *json, const char *name, const struct df_side_range *range)
{
    df_json_object(json, name);
    df_json_integer(json, "least", range->least);
    df_json_number(json, "median", range->median);
    df_json_integer(json, "most", range->most);
    df_json_close(json);
}

static void write_channels(struct df_json *json, const char *name, const double values[3])
{
    df_json_array(json, name);
    for (int c = 0; c < 3; c++)
        df_json_number(json, NULL, values[c]);
    df_json_close(json);
}

static void write_set(struct df_json *json, const struct df_set_summary *set)
{
    if (!set->surveyed) {
        df_json_null(json, set->name);
        return;
    }
    df_json_object(json, set->name);
    df_json_integer(json, "pairs", set->pairs);
    df_json_integer(json, "faulty_pairs", set->faulty);
    df_json_object(json, "formats");
    for (int i = 0; i < set->n_formats; i++)
        df_json_integer(json, set->formats[i].name, set->formats[i].images);
    df_json_close(json);
    write_sides(json, "width", &set->width);
    write_sides(json, "height", &set->height);
    write_channels(json, "mean", set->mean);
    write_channels(json, "deviation", set->deviation);
    df_json_integer(json, "labelled_pixels", set->labelled);
    df_json_integer(json, "ignored_pixels", set->ignored);
    df_json_close(json);
}

static void write_classes(struct df_json *json, const struct df_data_summary *summary)
{
    const struct df_class_count *training = summary->sets[0].classes, *validation = summary->sets[1].classes;

    df_json_array(json, "classes");
    for (int i = 0; i < summary->n_classes; i++) {
        df_json_object(json, NULL);
        df_json_text(json, "name", summary->classes->class_names[i]);
        df_json_integer(json, "training_images", training[i].images);
        df_json_integer(json, "training_pixels", training[i].pixels);
        df_json_integer(json, "validation_images", validation[i].images);
        df_json_integer(json, "validation_pixels", validation[i].pixels);
        df_json_number(json, "auto_weight", summary->has_weights ? (double)summary->weights[i] : NAN);
        df_json_close(json);
    }
    df_json_close(json);
}

static void write_duplicates(struct df_json *json, const struct df_data_summary *summary)
{
    df_json_array(json, "duplicates");
    for (size_t g = 0; g < summary->duplicates.count; g++) {
        const struct df_duplicate_group *group = &summary->duplicates.groups[g];
        df_json_object(json, NULL);
        df_json_bool(json, "in_both_sets", group->crosses);
        df_json_bool(json, "masks_differ", group->masks_differ);
        df_json_array(json, "images");
        for (size_t i = 0; i < group->count; i++)
            df_json_text(json, NULL, df_summary_image(summary, &group->places[i]));
        df_json_close(json);
        df_json_close(json);
    }
    df_json_close(json);
}

static void write_faults(struct df_json *json, const struct df_data_summary *summary)
{
    const struct df_data_survey *survey = summary->survey;

    df_json_array(json, "faults");
    for (size_t i = 0; i < survey->n_faults; i++) {
        const struct df_survey_fault *fault = &survey->faults[i];
        const struct df_sample *sample = &survey->sets[fault->set].set->samples[fault->pair];
        df_json_object(json, NULL);
        df_json_text(json, "set", df_summary_set_name(summary, fault->set));
        df_json_text(json, "image", sample->image_path);
        df_json_text(json, "mask", sample->mask_path);
        df_json_text(json, "fault", fault->text);
        df_json_close(json);
    }
    df_json_close(json);
}

int df_data_json_write(const char *path, const struct df_data_summary *summary)
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    df_json_text(&json, "failure", summary->failure);
    df_json_array(&json, "warnings");
    for (size_t i = 0; i < summary->n_warnings; i++)
        df_json_text(&json, NULL, summary->warnings[i]);
    df_json_close(&json);
    for (int i = 0; i < DF_SURVEY_SETS; i++)
        write_set(&json, &summary->sets[i]);
    write_classes(&json, summary);
    write_duplicates(&json, summary);
    write_faults(&json, summary);
    df_json_close(&json);
    return df_json_write(&json, path);
}
