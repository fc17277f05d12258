/* PNG files as masks: numbers that stay as they are, or colours. */
#include "codec.h"
#include "mask_pixels.h"
#include "png_file.h"

#include "dinoft/error.h"

#include <string.h>

/* Rows of 1, 2 or 4-bit values begin at a byte; the first pixel has the high bits. */
static void unpack_bits(const uint8_t *packed, int bits, struct df_image *mask)
{
    const size_t row_bytes = ((size_t)mask->width * (size_t)bits + 7) / 8;
    const int mask_bits = (1 << bits) - 1;

    for (int64_t y = 0; y < mask->height; y++) {
        const uint8_t *in = packed + (size_t)y * row_bytes;
        uint8_t *out = mask->pixels + y * mask->width;
        for (int64_t x = 0; x < mask->width; x++) {
            int64_t bit = x * bits;
            out[x] = (uint8_t)(in[bit / 8] >> (8 - bits - bit % 8) & mask_bits);
        }
    }
}

static int decode_bits(spng_ctx *png, const struct spng_ihdr *header, struct df_image *mask)
{
    const int bits = header->bit_depth;
    const int64_t row_bytes = ((int64_t)header->width * bits + 7) / 8;
    const size_t bytes = (size_t)row_bytes * header->height;
    struct df_image packed;

    DF_TRY(df_image_alloc(mask, header->width, header->height, 1));
    DF_TRY(df_image_alloc(&packed, row_bytes, header->height, 1));
    memset(packed.pixels, 0, bytes); /* libspng adds the bits of interlaced pixels to what is there */
    const int status = df_png_decode_all(png, packed.pixels, bytes, SPNG_FMT_RAW, 0);
    if (status == 0)
        unpack_bits(packed.pixels, bits, mask);
    df_image_free(&packed);
    return status;
}

/* Pixels of `unit` bytes, as they are in the file but for the order of bytes. */
static int decode_whole(spng_ctx *png, const struct spng_ihdr *header, int unit, struct df_image *mask)
{
    DF_TRY(df_image_alloc(mask, header->width, header->height, unit));
    return df_png_decode_all(png, mask->pixels, (size_t)mask->width * (size_t)mask->height * (size_t)unit,
                             SPNG_FMT_PNG, 0);
}

/* RGBA of bytes: all pixels at once, for the usual case. */
static bool is_opaque(const struct df_image *mask)
{
    const size_t count = (size_t)(mask->width * mask->height);
    uint32_t all = UINT32_MAX, pixel;
    uint8_t bytes[sizeof all];

    for (size_t i = 0; i < count; i++) {
        memcpy(&pixel, mask->pixels + i * sizeof pixel, sizeof pixel);
        all &= pixel;
    }
    memcpy(bytes, &all, sizeof all);
    return bytes[3] == UINT8_MAX;
}

/* What alpha hides is not what one sees: it must hide nothing. bytes: of a channel; alpha is the last one. */
static int check_opaque(const struct df_image *mask, int bytes)
{
    const size_t count = (size_t)(mask->width * mask->height), unit = (size_t)mask->channels;

    if (unit == 4 && bytes == 1 && is_opaque(mask))
        return 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixel = mask->pixels + i * unit, *alpha = pixel + unit - (size_t)bytes;
        if (alpha[0] != UINT8_MAX || alpha[bytes - 1] != UINT8_MAX)
            return df_error_set(
                "it is transparent at column %lld, row %lld, where its colour cannot be meant: "
                "a mask must be opaque",
                (long long)((int64_t)i % mask->width), (long long)((int64_t)i / mask->width));
    }
    return 0;
}

/* Of several channels, which are one number where they are equal. */
static int decode_channels(spng_ctx *png, const struct spng_ihdr *header, struct df_image *mask)
{
    const bool grey = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    const bool alpha = grey || header->color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
    const int bytes = header->bit_depth / 8;

    DF_TRY(decode_whole(png, header, bytes * ((grey ? 1 : 3) + alpha), mask));
    if (alpha)
        DF_TRY(check_opaque(mask, bytes));
    if (grey || df_mask_is_grey(mask, bytes))
        df_mask_keep_first(mask, bytes);
    else if (bytes == 1)
        df_mask_keep_first(mask, 3);
    else
        return df_error_set("its channels of 16 bits differ: a mask's colours must have 8 bits a channel");
    return 0;
}

static int decode_indices(spng_ctx *png, const struct spng_ihdr *header, struct df_image *mask)
{
    const bool single =
        header->color_type == SPNG_COLOR_TYPE_INDEXED || header->color_type == SPNG_COLOR_TYPE_GRAYSCALE;

    if (!single)
        return decode_channels(png, header, mask);
    return header->bit_depth < 8 ? decode_bits(png, header, mask)
                                 : decode_whole(png, header, header->bit_depth / 8, mask);
}

/* A palette's colours, or a single one, may be transparent too. */
static int decode_colors(spng_ctx *png, const struct spng_ihdr *header, struct df_image *mask)
{
    const bool alpha = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                       header->color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
    const size_t count = (size_t)header->width * header->height;
    struct spng_trns transparent;

    if (header->bit_depth > 8)
        return df_error_set("it has 16 bits a channel: a mask's colours must have 8 at most");
    if (!alpha && spng_get_trns(png, &transparent) != 0) {
        DF_TRY(df_image_alloc(mask, header->width, header->height, 3));
        return df_png_decode_all(png, mask->pixels, 3 * count, SPNG_FMT_RGB8, 0);
    }
    DF_TRY(df_image_alloc(mask, header->width, header->height, 4));
    DF_TRY(df_png_decode_all(png, mask->pixels, 4 * count, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS));
    DF_TRY(check_opaque(mask, 1));
    df_mask_keep_first(mask, 3);
    return 0;
}

static int decode(const unsigned char *bytes, size_t size, struct df_image *mask,
                  int (*decode_pixels)(spng_ctx *png, const struct spng_ihdr *header, struct df_image *mask))
{
    struct spng_ihdr header;
    spng_ctx *png = df_png_open(bytes, size, &header);

    memset(mask, 0, sizeof *mask);
    if (!png)
        return -1;
    const int status = decode_pixels(png, &header, mask);
    spng_ctx_free(png);
    if (status != 0)
        df_image_free(mask);
    return status;
}

int df_png_decode_indices(const unsigned char *bytes, size_t size, struct df_image *mask)
{
    return decode(bytes, size, mask, decode_indices);
}

int df_png_decode_colors(const unsigned char *bytes, size_t size, struct df_image *mask)
{
    return decode(bytes, size, mask, decode_colors);
}
