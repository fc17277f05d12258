/* A user's own data: its pairs, in one of the layouts, and what the masks hold. */
#include "layouts/layout.h"
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

int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    const int status = df_layout_list(dataset, options);

    if (status == 0 && options->mask_values)
        return map_listed_values(dataset, options->mask_values);
    map_numbers(dataset);
    return status;
}
