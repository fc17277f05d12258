/* A user's own data: ROOT/images/{train,val} and ROOT/masks/{train,val}. */
#include "folder_files.h"
#include "sample_list.h"

#include "dinoft/error.h"
#include "dinoft/mask_values.h"
#include "dinoft/text.h"

#include <stdlib.h>

static void allow(struct df_dataset *dataset, int value, int label)
{
    dataset->label_map[value] = (uint8_t)label;
    dataset->label_valid[value] = true;
}

/* The masks' values that are listed are the classes; 255 means "ignore" unless it is one of them. */
static int map_listed_values(struct df_dataset *dataset, const char *text)
{
    struct df_mask_values values;

    if (df_mask_values_parse(text, &values) != 0)
        return df_error_context("the values of masks");
    if (values.count != dataset->n_classes)
        return df_error_set("the mask values %s are %d, for %d classes", text, values.count,
                            dataset->n_classes);
    allow(dataset, DF_IGNORE_LABEL, DF_IGNORE_LABEL);
    for (int label = 0; label < values.count; label++)
        allow(dataset, values.values[label], label);
    dataset->mask_values = df_text_copy(text);
    return dataset->mask_values ? 0 : -1;
}

static void map_numbers(struct df_dataset *dataset)
{
    for (int value = 0; value < dataset->n_classes; value++)
        allow(dataset, value, value);
    allow(dataset, DF_IGNORE_LABEL, DF_IGNORE_LABEL);
    dataset->void_is_assumed = true;
}

struct folders {
    char *images, *masks;
};

static int name_folders(struct folders *folders, const struct df_dataset_options *options)
{
    const char *split = options->split == DF_SPLIT_TRAIN ? "train" : "val";

    folders->images = df_text_format("%s/images/%s", options->root, split);
    folders->masks = df_text_format("%s/masks/%s", options->root, split);
    return folders->images && folders->masks ? 0 : -1;
}

static void free_folders(struct folders *folders)
{
    free(folders->images);
    free(folders->masks);
}

static int look_into(const struct folders *folders, bool *has)
{
    bool images, masks;

    DF_TRY(df_folder_holds_files(folders->images, &images));
    DF_TRY(df_folder_holds_files(folders->masks, &masks));
    *has = images || masks;
    return 0;
}

int df_folder_has_split(const struct df_dataset_options *options, bool *has)
{
    struct folders folders;
    const int status = name_folders(&folders, options) == 0 ? look_into(&folders, has) : -1;

    free_folders(&folders);
    return status;
}

static int add_samples(struct df_dataset *dataset, const struct folders *folders, enum df_split split)
{
    bool has;

    DF_TRY(look_into(folders, &has));
    if (!has && split == DF_SPLIT_VAL)
        return df_error_set("there are no validation images: %s and %s are not there or empty",
                            folders->images, folders->masks);
    return df_sample_add_folder(dataset, folders->images, folders->masks);
}

int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    struct folders folders;
    int status = name_folders(&folders, options) == 0 ? add_samples(dataset, &folders, options->split) : -1;

    if (status == 0 && options->mask_values)
        status = map_listed_values(dataset, options->mask_values);
    else
        map_numbers(dataset);
    free_folders(&folders);
    return status;
}
