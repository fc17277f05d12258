/* Lists of a folder's training and validation images. */
#include "fuzz.h"

#include "dinoft/dataset.h"

#include <string.h>

static void make_images(void)
{
    static const char *const names[] = {"images/a.png", "masks/a.png",  "images/b.png",
                                        "masks/b.png",  "images/c.png", "masks/c.png"};
    char path[FUZZ_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fuzz_write(fuzz_path(names[i], path), "", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char root[FUZZ_PATH_MAX], list[FUZZ_PATH_MAX], other[FUZZ_PATH_MAX];

    if (!*root) {
        fuzz_path(".", root);
        fuzz_path("list.txt", list);
        fuzz_write(fuzz_path("other.txt", other), "c\n", 2);
        make_images();
    }
    fuzz_write(list, data, size);
    fuzz_forget_error();
    struct df_dataset *dataset =
        df_dataset_open(&(struct df_dataset_options){.kind = DF_DATASET_FOLDER,
                                                     .root = root,
                                                     .n_classes = 2,
                                                     .layout = {.train_list = list, .val_list = other}});
    if (!dataset)
        fuzz_check_error();
    for (int64_t i = 0; dataset && i < dataset->count; i++)
        fuzz_check(strcmp(dataset->samples[i].name, "c") != 0, "no image of one list is in the other");
    df_dataset_free(dataset);
    return 0;
}
