/* As an image in each way, and as a mask of numbers and of colours. */
#include "images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode_as(df_tiff_decode, data, size);
    fuzz_decode(df_tiff_decode_indices, data, size);
    fuzz_decode(df_tiff_decode_colors, data, size);
    return 0;
}
