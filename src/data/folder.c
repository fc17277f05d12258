/* A user's own data: ROOT/images/{train,val} and ROOT/masks/{train,val}. */
#include "annotations/annotated_set.h"
#include "class_folders.h"
#include "sample_list.h"

#include "dinoft/text.h"

#include <stdlib.h>

int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    if (dataset->annotations)
        return df_annotated_set_list(dataset);
    const char *split = options->split == DF_SPLIT_TRAIN ? "train" : "val";
    char *images = df_text_format("%s/images/%s", options->root, split);
    char *masks = df_text_format("%s/masks/%s", options->root, split);
    int status = -1;

    if (images && masks)
        status = dataset->rule.values.source == DF_SOURCE_FOLDERS
                     ? df_class_folders_list(dataset, images, masks)
                     : df_sample_add_folder(dataset, images, masks);
    free(masks);
    free(images);
    return status;
}
