/* labelme's JSON, with masks that are PNGs in base64. */
#include "annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[FUZZ_PATH_MAX], folder[FUZZ_PATH_MAX], images[FUZZ_PATH_MAX], image[FUZZ_PATH_MAX];

    if (!*file) {
        fuzz_path("labels", folder);
        fuzz_path("images", images);
        fuzz_write(fuzz_path("images/a.jpg", image), "", 0);
        fuzz_path("labels/a.json", file);
    }
    fuzz_write(file, data, size);
    fuzz_annotations(df_labelme_read,
                     &(struct df_annotation_source){.path = folder, .images = images, .other = folder});
    return 0;
}
