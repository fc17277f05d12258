/* Tables of images, masks and splits. */
#include "fuzz.h"

#include "dinoft/dataset.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char table[FUZZ_PATH_MAX], image[FUZZ_PATH_MAX];

    if (!*table) {
        fuzz_path("table.csv", table);
        fuzz_write(fuzz_path("a.png", image), "", 0);
    }
    fuzz_write(table, data, size);
    for (int fraction = 0; fraction < 2; fraction++) {
        fuzz_forget_error();
        struct df_dataset *dataset = df_dataset_open(
            &(struct df_dataset_options){.kind = DF_DATASET_FOLDER,
                                         .root = "",
                                         .n_classes = 2,
                                         .layout = {.pairs = table, .val_fraction = 0.5 * fraction}});
        if (!dataset)
            fuzz_check_error();
        for (int64_t i = 0; dataset && i < dataset->count; i++)
            fuzz_touch(dataset->samples[i].name, strlen(dataset->samples[i].name));
        df_dataset_free(dataset);
    }
    return 0;
}
