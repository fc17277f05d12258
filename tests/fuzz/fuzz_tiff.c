/* As an image in each way, and as indices. */
#include "images.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct df_indices indices;

    fuzz_decode_as(df_tiff_decode, data, size);
    fuzz_forget_error();
    if (df_tiff_decode_indices(data, size, &indices) == 0) {
        fuzz_check(df_image_check_size(indices.width, indices.height) == 0, "a size is within the limits");
        fuzz_touch(indices.values, (size_t)(indices.width * indices.height) * sizeof *indices.values);
    } else {
        fuzz_check(!indices.values, "what is refused has no values");
        fuzz_check_error();
    }
    free(indices.values);
    return 0;
}
