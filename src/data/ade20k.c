/* ADE20K as SceneParse150 has it: ROOT/ADEChallengeData2016. Mask value 0 is "other", 1..150 are the classes.
 */
#include "sample_list.h"

#include "dinoft/text.h"

#include <stdlib.h>

int df_ade20k_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    const char *usual = options->split == DF_SPLIT_TRAIN ? "training" : "validation";
    const char *split = options->split_name[0] ? options->split_name[0] : usual;
    char *images = df_text_format("%s/ADEChallengeData2016/images/%s", options->root, split);
    char *masks = df_text_format("%s/ADEChallengeData2016/annotations/%s", options->root, split);
    int status = images && masks ? df_sample_add_folder(dataset, images, masks, true) : -1;

    free(masks);
    free(images);
    return status;
}
