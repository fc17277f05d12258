/* Pascal VOC 2012 segmentation: ROOT/VOCdevkit/VOC2012. */
#include "lines.h"
#include "sample_list.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 255 /* as file systems have it */

struct list {
    struct df_dataset *dataset;
    const char *folder, *path;
};

static int add_name(void *context, int64_t line, const char *name, size_t length)
{
    const struct list *list = context;
    const int shown = length < 80 ? (int)length : 80;

    if (length > NAME_MAX_BYTES || memchr(name, '/', length) || memchr(name, '\0', length))
        return df_error_set("line %lld of %s is not the name of an image: \"%.*s\"", (long long)line,
                            list->path, shown, name);
    return df_sample_add(list->dataset, df_text_format("%.*s", (int)length, name),
                         df_text_format("%s/JPEGImages/%.*s.jpg", list->folder, (int)length, name),
                         df_text_format("%s/SegmentationClass/%.*s.png", list->folder, (int)length, name));
}

int df_voc_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    const char *split = options->split == DF_SPLIT_TRAIN ? "train" : "val";
    char *folder = df_text_format("%s/VOCdevkit/VOC2012", options->root);
    char *path = folder ? df_text_format("%s/ImageSets/Segmentation/%s.txt", folder, split) : NULL;
    struct list list = {dataset, folder, path};
    int status = path ? df_each_line(path, add_name, &list) : -1;

    dataset->reference_void_is_background = true;
    if (status == 0 && dataset->count == 0)
        status = df_error_set("%s lists no images", path);
    free(path);
    free(folder);
    return status;
}
