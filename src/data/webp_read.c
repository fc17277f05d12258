#include "codec.h"

#include "dinoft/error.h"

#include <string.h>

#include <webp/decode.h>

#define RIFF_HEADER  12
#define CHUNK_HEADER 8

static int fail(VP8StatusCode code)
{
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return df_error_memory("reading a WebP", 0);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA || code == VP8_STATUS_SUSPENDED)
        return df_error_set("premature end of the WebP");
    return df_error_set("damaged WebP (libwebp's error %d)", (int)code);
}

static uint32_t little_endian(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int df_webp_orientation(const unsigned char *bytes, size_t size)
{
    static const char start[] =
        "Exif\0"; /* with the literal's own end; some programs write it, some do not */
    size_t at = RIFF_HEADER;

    while (size >= CHUNK_HEADER && at <= size - CHUNK_HEADER) {
        const unsigned char *chunk = bytes + at;
        const size_t length = little_endian(chunk + 4), left = size - at - CHUNK_HEADER;
        if (length > left)
            break;
        if (memcmp(chunk, "EXIF", 4) == 0) {
            const bool starts =
                length >= sizeof start && memcmp(chunk + CHUNK_HEADER, start, sizeof start) == 0;
            const size_t skipped = starts ? sizeof start : 0;
            return df_exif_orientation(chunk + CHUNK_HEADER + skipped, length - skipped);
        }
        at += CHUNK_HEADER + length + length % 2;
    }
    return 1;
}

static int decode(const unsigned char *bytes, size_t size, struct df_image *image)
{
    WebPDecoderConfig config;

    if (!WebPInitDecoderConfig(&config))
        return df_error_set("another version of libwebp than this program was built with");
    VP8StatusCode code = WebPGetFeatures(bytes, size, &config.input);
    if (code != VP8_STATUS_OK)
        return fail(code);
    if (config.input.has_animation)
        return df_error_set("an animated WebP: store the frame that is meant as an image");
    /* Pixels that are all the same take no bytes: the file's size says nothing. */
    DF_TRY(df_image_alloc(image, config.input.width, config.input.height, 3));
    config.output.colorspace = MODE_RGB; /* without alpha */
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){.rgba = image->pixels,
                                            .stride = (int)(3 * image->width),
                                            .size = (size_t)(3 * image->width * image->height)};
    code = WebPDecode(bytes, size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? df_image_orient(image, df_webp_orientation(bytes, size)) : fail(code);
}

int df_webp_decode(const unsigned char *bytes, size_t size, struct df_image *image)
{
    memset(image, 0, sizeof *image);
    if (decode(bytes, size, image) == 0)
        return 0;
    df_image_free(image);
    return -1;
}
