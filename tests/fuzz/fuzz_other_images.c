/* BMP and TGA. */
#include "images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) /* image_read.c refuses an empty file */
        fuzz_decode(df_stb_decode, data, size);
    return 0;
}
