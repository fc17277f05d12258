#include "images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(df_webp_decode, data, size);
    return 0;
}
