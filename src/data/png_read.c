#include "codec.h"
#include "png_file.h"
#include "samples.h"

#include "dinoft/error.h"

#include <string.h>

/* Chunks other than pixel data (profiles, texts): each, and all that are kept. */
#define MAX_CHUNK  ((size_t)64 << 20)
#define MAX_CHUNKS ((size_t)128 << 20)

#define MAX_DEFLATE 1032 /* bytes that one byte becomes: 258 of two bits */

/* Pixels that one byte of the file becomes at most. */
static int64_t most_pixels(const struct spng_ihdr *header)
{
    static const int channels[] = {
        [SPNG_COLOR_TYPE_GRAYSCALE] = 1,       [SPNG_COLOR_TYPE_TRUECOLOR] = 3,
        [SPNG_COLOR_TYPE_INDEXED] = 1,         [SPNG_COLOR_TYPE_GRAYSCALE_ALPHA] = 2,
        [SPNG_COLOR_TYPE_TRUECOLOR_ALPHA] = 4,
    };
    return MAX_DEFLATE * 8 / (channels[header->color_type] * header->bit_depth) + 1;
}

bool df_png_lacks_memory(int code)
{
    return code == SPNG_EMEM || code == SPNG_EZLIB_INIT; /* zlib has nothing else to fail at then */
}

static int fail(const char *what, int code)
{
    if (df_png_lacks_memory(code))
        return df_error_memory("reading a PNG", 0);
    return df_error_set("%s: %s", what, spng_strerror(code));
}

spng_ctx *df_png_open(const unsigned char *bytes, size_t size, struct spng_ihdr *header)
{
    spng_ctx *png = spng_ctx_new(0);
    int code;

    if (!png) {
        df_error_memory("a PNG decoder", sizeof(void *));
        return NULL;
    }
    spng_set_image_limits(png, DF_IMAGE_MAX_SIDE, DF_IMAGE_MAX_SIDE);
    spng_set_chunk_limits(png, MAX_CHUNK, MAX_CHUNKS);
    /* As libpng: a text or a profile that is damaged is left out, and the pixels are read all the same. */
    spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
    if ((code = spng_set_png_buffer(png, bytes, size)) != 0 || (code = spng_get_ihdr(png, header)) != 0) {
        fail("damaged PNG", code);
        goto failed;
    }
    if (df_image_check_file(header->width, header->height, size, most_pixels(header)) != 0)
        goto failed;
    return png;
failed:
    spng_ctx_free(png);
    return NULL;
}

int df_png_decode_all(spng_ctx *png, void *pixels, size_t bytes, int format, int flags)
{
    size_t needed;
    int code = spng_decoded_image_size(png, format, &needed);

    if (code == 0 && needed != bytes)
        return df_error_set("damaged PNG: %zu bytes of pixels, expected %zu", needed, bytes);
    if (code == 0)
        code = spng_decode_image(png, pixels, bytes, format, flags);
    if (code == 0)
        code = spng_decode_chunks(png);
    return code == 0 ? 0 : fail("damaged PNG", code);
}

/* Once everything is decoded: eXIf may stand behind the pixels. */
static int orientation_of(spng_ctx *png)
{
    struct spng_exif exif;

    if (spng_get_exif(png, &exif) != 0)
        return 1;
    return df_exif_orientation((const unsigned char *)exif.data, exif.length);
}

int df_png_orientation(const unsigned char *bytes, size_t size)
{
    struct spng_ihdr header;
    spng_ctx *png = df_png_open(bytes, size, &header);

    if (!png)
        return 1;
    const int orientation = orientation_of(png);
    spng_ctx_free(png);
    return orientation;
}

int df_png_decode(const unsigned char *bytes, size_t size, struct df_image *image)
{
    struct spng_ihdr header;
    spng_ctx *png = df_png_open(bytes, size, &header);
    int status = -1;

    memset(image, 0, sizeof *image);
    if (!png)
        return -1;
    if (df_image_alloc(image, header.width, header.height, 3) == 0 &&
        df_png_decode_all(png, image->pixels, (size_t)header.width * header.height * 3, SPNG_FMT_RGB8, 0) ==
            0)
        status = df_image_orient(image, orientation_of(png));
    spng_ctx_free(png);
    if (status != 0)
        df_image_free(image);
    return status;
}

/* Values of 16 bits, of the colours or of the bands that are wanted. */
static int read_samples(spng_ctx *png, const struct spng_ihdr *header, const struct df_image_reading *reading,
                        struct df_samples *samples)
{
    static const int colours[3] = {1, 2, 3};
    const bool is_grey = !(header->color_type & SPNG_COLOR_TYPE_TRUECOLOR);

    *samples = (struct df_samples){
        .width = header->width, .height = header->height, .bands = 4, .bytes = 2, .bits = 16};
    DF_TRY(df_samples_check_bands(reading));
    DF_TRY(df_samples_alloc(samples));
    DF_TRY(df_png_decode_all(png, samples->values, (size_t)header->width * header->height * 8,
                             SPNG_FMT_RGBA16, 0));
    if (reading->n_bands > 0)
        df_samples_choose(samples, reading->bands, reading->n_bands);
    else
        df_samples_choose(samples, colours, is_grey ? 1 : 3);
    return 0;
}

static int decode_wide(spng_ctx *png, const struct spng_ihdr *header, const struct df_image_reading *reading,
                       struct df_image *image)
{
    struct df_samples samples;
    int status = read_samples(png, header, reading, &samples);

    if (status == 0)
        status = df_samples_to_image(&samples, reading, image);
    df_samples_free(&samples);
    return status == 0 ? df_image_orient(image, orientation_of(png)) : -1;
}

int df_png_decode_as(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                     struct df_image *image)
{
    struct spng_ihdr header;
    spng_ctx *png = NULL;
    int status = -1;

    memset(image, 0, sizeof *image);
    if (reading->range != DF_RANGE_OF_TYPE && !(png = df_png_open(bytes, size, &header)))
        return -1;
    if (png && header.bit_depth == 16)
        status = decode_wide(png, &header, reading, image);
    else if (df_png_decode(bytes, size, image) == 0)
        status = df_image_apply_reading(reading, image);
    spng_ctx_free(png);
    if (status != 0)
        df_image_free(image);
    return status;
}
