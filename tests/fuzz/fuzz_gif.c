#include "images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(df_gif_decode, data, size);
    return 0;
}
