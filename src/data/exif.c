/* The EXIF orientation: read from the TIFF structure of a JPEG or PNG, and applied to pixels. */
#include "codec.h"

#include "dinoft/error.h"

#include <stdint.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
#define ENTRY_BYTES     12

struct tiff {
    const unsigned char *bytes;
    size_t size;
    bool big_endian;
};

/* An unsigned integer of count bytes; 0 beyond the end, which no caller takes for something valid. */
static uint32_t number(const struct tiff *tiff, size_t offset, size_t count)
{
    uint32_t value = 0;

    if (offset > tiff->size || tiff->size - offset < count)
        return 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | tiff->bytes[offset + (tiff->big_endian ? i : count - 1 - i)];
    return value;
}

/* Bytes of a TIFF type that holds whole numbers; 0 for the others. The orientation should be a SHORT, but not
 * all programs write it so. */
static size_t integer_bytes(uint32_t type)
{
    static const uint8_t bytes[] = {[1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4, [13] = 4};
    return type < sizeof bytes ? bytes[type] : 0;
}

int df_exif_orientation(const unsigned char *bytes, size_t size)
{
    struct tiff tiff = {bytes, size, false};

    if (size < 8 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0))
        return 1;
    tiff.big_endian = bytes[0] == 'M';
    if (number(&tiff, 2, 2) != 42)
        return 1;
    size_t directory = number(&tiff, 4, 4);
    uint32_t entries = number(&tiff, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + (size_t)i * ENTRY_BYTES;
        if (entry > size || size - entry < ENTRY_BYTES)
            return 1;
        const size_t width = integer_bytes(number(&tiff, entry + 2, 2));
        if (number(&tiff, entry, 2) == TAG_ORIENTATION && width > 0) {
            uint32_t orientation = number(&tiff, entry + 8, width);
            return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
        }
    }
    return 1;
}

int df_image_orient(struct df_image *image, int orientation)
{
    /* Whether the stored rows (columns) run against those that are wanted. */
    const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool turns = orientation >= 5; /* width and height change places */
    const int64_t width = image->width, height = image->height;
    struct df_image result;

    if (orientation == 1)
        return 0;
    DF_TRY(df_image_alloc(&result, turns ? height : width, turns ? width : height, image->channels));
    uint8_t *out = result.pixels;
    for (int64_t y = 0; y < result.height; y++) {
        for (int64_t x = 0; x < result.width; x++) {
            int64_t column = turns ? y : x;
            int64_t row = turns ? x : y;
            column = mirror_x ? width - 1 - column : column;
            row = mirror_y ? height - 1 - row : row;
            const uint8_t *in = image->pixels + (row * width + column) * image->channels;
            for (int c = 0; c < image->channels; c++)
                *out++ = in[c];
        }
    }
    result.warning = image->warning;
    df_image_free(image);
    *image = result;
    return 0;
}
