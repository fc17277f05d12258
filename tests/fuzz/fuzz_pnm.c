#include "images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6') /* as image_read.c calls it */
        fuzz_decode_as(df_pnm_decode, data, size);
    return 0;
}
