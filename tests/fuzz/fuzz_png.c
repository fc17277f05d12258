/* As an image and as a mask; as it is, and once more with checksums that fit, which no fuzzer would find. */
#include "images.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define SIGNATURE_BYTES 8
#define CHUNK_BYTES     12 /* length, name and checksum */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void mend_checksums(uint8_t *data, size_t size)
{
    size_t at = SIGNATURE_BYTES;

    while (size > at && size - at >= CHUNK_BYTES) {
        const size_t length = big_endian(data + at);
        if (length > size - at - CHUNK_BYTES)
            break;
        const uint32_t crc = (uint32_t)crc32_z(0, data + at + 4, length + 4);
        at += CHUNK_BYTES + length;
        for (int i = 0; i < 4; i++)
            data[at - 4 + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size ? size : 1);

    fuzz_check(mended, "memory");
    memcpy(mended, data, size);
    mend_checksums(mended, size);
    fuzz_decode(df_png_decode, data, size);
    fuzz_decode(df_png_decode, mended, size);
    fuzz_decode(df_png_decode_indices, mended, size);
    fuzz_decode(df_png_decode_colors, mended, size);
    free(mended);
    return 0;
}
