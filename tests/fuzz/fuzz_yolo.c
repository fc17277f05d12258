/* YOLO's text of polygons, and the names in its data.yaml: an input is both, with a 0 between them. */
#include "annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[FUZZ_PATH_MAX], names[FUZZ_PATH_MAX], folder[FUZZ_PATH_MAX], images[FUZZ_PATH_MAX],
        image[FUZZ_PATH_MAX];
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t first = zero ? (size_t)(zero - data) : size;

    if (!*file) {
        fuzz_path("labels", folder);
        fuzz_path("images", images);
        fuzz_write(fuzz_path("images/a.jpg", image), "", 0);
        fuzz_path("labels/a.txt", file);
        fuzz_path("data.yaml", names);
    }
    fuzz_write(file, data, first);
    if (zero)
        fuzz_write(names, zero + 1, size - first - 1);
    else
        fuzz_write(names, "names: [a, b]", 13);
    fuzz_annotations(df_yolo_read,
                     &(struct df_annotation_source){.path = folder, .images = images, .names = names});
    return 0;
}
