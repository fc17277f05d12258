/* Pascal VOC's lists of images, and the names of a folder's classes. */
#include "fuzz.h"

#include "dinoft/dataset.h"

#include <string.h>

static void open_dataset(const struct df_dataset_options *options)
{
    fuzz_forget_error();
    struct df_dataset *dataset = df_dataset_open(options);
    if (!dataset)
        fuzz_check_error();
    for (int64_t i = 0; dataset && i < dataset->count; i++)
        fuzz_touch(dataset->samples[i].image_path, strlen(dataset->samples[i].image_path));
    for (int i = 0; dataset && i < dataset->n_classes; i++)
        fuzz_touch(dataset->class_names[i], strlen(dataset->class_names[i]));
    df_dataset_free(dataset);
}

/* Files whose names the lists may have; whether they are images is not looked at before they are read. */
static void make_images(void)
{
    static const char *const names[] = {"VOCdevkit/VOC2012/JPEGImages/a.jpg",
                                        "VOCdevkit/VOC2012/SegmentationClass/a.png",
                                        "VOCdevkit/VOC2012/JPEGImages/b.jpg",
                                        "VOCdevkit/VOC2012/SegmentationClass/b.png",
                                        "images/val/a.png",
                                        "masks/val/a.png"};
    char path[FUZZ_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fuzz_write(fuzz_path(names[i], path), "", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char root[FUZZ_PATH_MAX], list[FUZZ_PATH_MAX], class_names[FUZZ_PATH_MAX];

    if (!*root) {
        fuzz_path(".", root);
        fuzz_path("VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt", list);
        fuzz_path("names.txt", class_names);
        make_images();
    }
    fuzz_write(list, data, size);
    open_dataset(&(struct df_dataset_options){.kind = DF_DATASET_VOC, .root = root, .split = DF_SPLIT_VAL});
    fuzz_write(class_names, data, size);
    open_dataset(&(struct df_dataset_options){.kind = DF_DATASET_FOLDER,
                                              .root = root,
                                              .split = DF_SPLIT_VAL,
                                              .n_classes = 3,
                                              .class_names = class_names});
    return 0;
}
