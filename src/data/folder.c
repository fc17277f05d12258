/* A user's own data: ROOT/images/{train,val} and ROOT/masks/{train,val}. */
#include "sample_list.h"

#include "dinoft/text.h"

#include <stdlib.h>

int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    const char *split = options->split == DF_SPLIT_TRAIN ? "train" : "val";
    char *images = df_text_format("%s/images/%s", options->root, split);
    char *masks = df_text_format("%s/masks/%s", options->root, split);
    int status = images && masks ? df_sample_add_folder(dataset, images, masks) : -1;

    for (int value = 0; value < dataset->n_classes; value++) {
        dataset->label_map[value] = (uint8_t)value;
        dataset->label_valid[value] = true;
    }
    dataset->label_map[DF_IGNORE_LABEL] = DF_IGNORE_LABEL;
    dataset->label_valid[DF_IGNORE_LABEL] = true;
    free(masks);
    free(images);
    return status;
}
