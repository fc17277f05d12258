#include "dinoft/dataset.h"

#include "dinoft/error.h"
#include "annotations/annotations.h"
#include "class_table.h"
#include "data_root.h"
#include "layouts/layout.h"
#include "sample_list.h"

#include <stdlib.h>

static int (*const list_samples[])(struct df_dataset *dataset, const struct df_dataset_options *options) = {
    [DF_DATASET_VOC] = df_voc_list,
    [DF_DATASET_ADE20K] = df_ade20k_list,
    [DF_DATASET_FOLDER] = df_folder_list};

int df_dataset_has_split(const struct df_dataset_options *options, bool *has)
{
    struct df_dataset_options all = *options;
    char *root = df_data_root(options->root);
    int status = root ? 0 : -1;

    *has = true;
    all.root = root;
    if (root && options->kind == DF_DATASET_FOLDER)
        status = df_folder_has_split(&all, has);
    free(root);
    return status;
}

static int fill(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    DF_TRY(df_dataset_set_classes(dataset, options));
    DF_TRY(list_samples[options->kind](dataset, options));
    if (df_sample_check_files(dataset) != 0 && !options->takes_missing)
        return -1;
    dataset->census = df_label_census_new(dataset->count);
    return dataset->census ? 0 : -1;
}

struct df_dataset *df_dataset_open(const struct df_dataset_options *options)
{
    struct df_dataset *dataset = calloc(1, sizeof *dataset);
    struct df_dataset_options all = *options;
    struct df_layout_classes classes = {0};

    if (!dataset) {
        df_error_memory("a data set", sizeof *dataset);
        return NULL;
    }
    dataset->kind = options->kind;
    dataset->reading = options->reading;
    dataset->advice = options->advice;
    dataset->color_advice = options->color_advice;
    char *root = df_data_root(options->root);
    int status = root ? 0 : -1;
    all.root = root;
    if (root && options->kind == DF_DATASET_FOLDER)
        status = df_folder_open(dataset, &all, &classes);
    if (status == 0)
        status = fill(dataset, &all);
    df_layout_free_classes(&classes);
    free(root);
    if (status == 0)
        return dataset;
    df_dataset_free(dataset);
    return NULL;
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
            df_sample_free(&samples[i]);
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
        df_sample_free(&dataset->samples[i]);
    free(dataset->samples);
    free(dataset->class_colors);
    free(dataset->mask_values);
    free(dataset->ignored_values);
    df_mask_rule_free(&dataset->rule);
    df_annotations_free(dataset->annotations);
    df_label_census_free(dataset->census);
    free(dataset);
}
