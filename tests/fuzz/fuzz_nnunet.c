/* nnU-Net's dataset.json, and its splits_final.json. */
#include "fuzz.h"

#include "dinoft/dataset.h"

#include <string.h>

static const char usual[] = "{\"labels\": {\"a\": 0, \"b\": 1}, \"file_ending\": \".png\"}";

static void make_cases(void)
{
    static const char *const names[] = {"imagesTr/a_0000.png", "labelsTr/a.png", "imagesTr/b_0000.png",
                                        "labelsTr/b.png"};
    char path[FUZZ_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fuzz_write(fuzz_path(names[i], path), "", 0);
}

static void open_fold(const char *root, const char *fold)
{
    fuzz_forget_error();
    struct df_dataset *dataset = df_dataset_open(
        &(struct df_dataset_options){.kind = DF_DATASET_FOLDER, .root = root, .layout = {.fold = fold}});
    if (!dataset)
        fuzz_check_error();
    for (int i = 0; dataset && i < dataset->n_classes; i++)
        fuzz_touch(dataset->class_names[i], strlen(dataset->class_names[i]));
    fuzz_check(!dataset || dataset->count > 0, "a split has images");
    df_dataset_free(dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char root[FUZZ_PATH_MAX], json[FUZZ_PATH_MAX], folds[FUZZ_PATH_MAX];

    if (!*root) {
        fuzz_path(".", root);
        fuzz_path("dataset.json", json);
        fuzz_path("splits_final.json", folds);
        make_cases();
    }
    fuzz_write(json, data, size);
    open_fold(root, "all");
    fuzz_write(json, usual, sizeof usual - 1);
    fuzz_write(folds, data, size);
    open_fold(root, "0");
    return 0;
}
