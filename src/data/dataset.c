#include "dinoft/dataset.h"

#include "dinoft/error.h"
#include "annotations/annotated_set.h"
#include "annotations/annotations.h"
#include "class_table.h"
#include "sample_list.h"

#include <stdlib.h>

static int (*const list_samples[])(struct df_dataset *dataset, const struct df_dataset_options *options) = {
    [DF_DATASET_VOC] = df_voc_list,
    [DF_DATASET_ADE20K] = df_ade20k_list,
    [DF_DATASET_FOLDER] = df_folder_list};

int df_dataset_has_split(const struct df_dataset_options *options, bool *has)
{
    *has = true;
    return options->kind == DF_DATASET_FOLDER ? df_folder_has_split(options, has) : 0;
}

/* Nothing of a split is told before parts of it are missed. That of training is needed anyway. */
static int check_split(const struct df_dataset_options *options)
{
    bool has;

    if (options->split == DF_SPLIT_TRAIN)
        return 0;
    DF_TRY(df_dataset_has_split(options, &has));
    return has ? 0
               : df_error_set("there are no validation images: %s/images/val and masks/val are not there or "
                              "empty",
                              options->root);
}

struct df_dataset *df_dataset_open(const struct df_dataset_options *options)
{
    struct df_dataset *dataset = calloc(1, sizeof *dataset);
    if (!dataset) {
        df_error_memory("a data set", sizeof *dataset);
        return NULL;
    }
    dataset->kind = options->kind;
    dataset->reading = options->reading;
    dataset->advice = options->advice;
    dataset->color_advice = options->color_advice;
    if (check_split(options) == 0 && df_annotated_set_open(dataset, options) == 0 &&
        df_dataset_set_classes(dataset, options) == 0 && list_samples[options->kind](dataset, options) == 0 &&
        (df_sample_check_files(dataset) == 0 || options->takes_missing) &&
        (dataset->census = df_label_census_new(dataset->count)))
        return dataset;
    df_dataset_free(dataset);
    return NULL;
}

static void free_sample(struct df_sample *sample)
{
    free(sample->name);
    free(sample->image_path);
    free(sample->mask_path);
    for (int i = 0; i < sample->n_layers; i++)
        free(sample->layers[i].path);
    free(sample->layers);
}

int df_dataset_keep(struct df_dataset *dataset, const bool *kept)
{
    struct df_sample *samples = dataset->samples;
    int64_t count = 0;

    for (int64_t i = 0; i < dataset->count; i++)
        count += kept[i];
    struct df_label_census *census = df_label_census_new(count);
    if (!census)
        return -1;
    count = 0;
    for (int64_t i = 0; i < dataset->count; i++) {
        if (kept[i])
            samples[count++] = samples[i];
        else
            free_sample(&samples[i]);
    }
    dataset->count = count;
    df_label_census_free(dataset->census);
    dataset->census = census;
    return 0;
}

void df_dataset_free(struct df_dataset *dataset)
{
    if (!dataset)
        return;
    for (int i = 0; dataset->class_names && i < dataset->n_classes; i++)
        free(dataset->class_names[i]);
    free(dataset->class_names);
    for (int64_t i = 0; i < dataset->count; i++)
        free_sample(&dataset->samples[i]);
    free(dataset->samples);
    free(dataset->class_colors);
    free(dataset->mask_values);
    free(dataset->ignored_values);
    df_mask_rule_free(&dataset->rule);
    df_annotations_free(dataset->annotations);
    df_label_census_free(dataset->census);
    free(dataset);
}
