/* CVAT's XML for images. */
#include "annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[FUZZ_PATH_MAX];

    if (!*path)
        fuzz_path("annotations.xml", path);
    fuzz_write(path, data, size);
    fuzz_annotations(df_cvat_read, &(struct df_annotation_source){.path = path});
    return 0;
}
