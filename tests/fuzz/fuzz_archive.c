/* An archive as a data set: its layout is found, and samples are read. */
#include "fuzz.h"
#include "tar_sums.h"

#include "dinoft/archive_path.h"
#include "dinoft/dataset.h"

#include <stdlib.h>
#include <string.h>

#define READ_MOST 4

static void open_dataset(const char *root, enum df_split split)
{
    const struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = root, .split = split, .n_classes = 3, .layout.val_fraction = 0.5};
    struct df_image image, mask;

    fuzz_forget_error();
    struct df_dataset *dataset = df_dataset_open(&options);
    if (!dataset)
        fuzz_check_error();
    for (int64_t i = 0; dataset && i < dataset->count && i < READ_MOST; i++) {
        fuzz_touch(dataset->samples[i].name, strlen(dataset->samples[i].name));
        fuzz_forget_error();
        if (df_dataset_read(dataset, i, &image, &mask) != 0) {
            fuzz_check_error();
            continue;
        }
        df_image_free(&image);
        df_image_free(&mask);
    }
    df_dataset_free(dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool zip = size > 2 && memcmp(data, "PK", 2) == 0;
    uint8_t *mended = malloc(size ? size : 1);
    char path[FUZZ_PATH_MAX];

    fuzz_check(mended, "memory");
    memcpy(mended, data, size);
    if (!zip)
        fuzz_mend_tar(mended, size);
    fuzz_write(fuzz_path(zip ? "set.zip" : "set.tar", path), mended, size);
    free(mended);
    open_dataset(path, DF_SPLIT_TRAIN);
    open_dataset(path, DF_SPLIT_VAL);
    df_archives_close();
    return 0;
}
