/* A file's format is told from its content, and the decoder of that format called. */
#include "codec.h"
#include "foreign_formats.h"
#include "samples.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/log.h"

#include <string.h>
#include <strings.h>

struct codec {
    const char *name;
    int (*decode)(const unsigned char *bytes, size_t size, struct df_image *image);
    /* Does what is asked for by itself; NULL: it is done with bytes afterwards. */
    int (*decode_as)(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                     struct df_image *image);
    int (*orientation)(const unsigned char *bytes, size_t size); /* NULL: there is none in such files */
};

static const struct codec jpeg = {"JPEG", .decode = df_jpeg_decode, .orientation = df_jpeg_orientation};
static const struct codec png = {"PNG", .decode_as = df_png_decode_as, .orientation = df_png_orientation};
static const struct codec tiff = {"TIFF", .decode_as = df_tiff_decode, .orientation = df_tiff_orientation};
static const struct codec webp = {"WebP", .decode = df_webp_decode, .orientation = df_webp_orientation};
static const struct codec gif = {"GIF", .decode = df_gif_decode};
static const struct codec pnm = {"PNM", .decode_as = df_pnm_decode};
static const struct codec bmp = {"BMP", .decode = df_stb_decode};
static const struct codec tga = {"TGA", .decode = df_stb_decode};

static const struct {
    size_t at; /* where the bytes stand */
    const char *bytes;
    size_t length;
    const struct codec *codec;
} signatures[] = {
    {0, "\xff\xd8\xff", 3, &jpeg},
    {0, "\x89PNG\r\n\x1a\n", 8, &png},
    {0, "II*\0", 4, &tiff},
    {0, "MM\0*", 4, &tiff},
    {0, "II+\0", 4, &tiff},
    {0, "MM\0+", 4, &tiff},
    {8, "WEBP", 4, &webp},
    {0, "GIF8", 4, &gif},
    {0, "BM", 2, &bmp},
    {0, "P1", 2, &pnm},
    {0, "P2", 2, &pnm},
    {0, "P3", 2, &pnm},
    {0, "P4", 2, &pnm},
    {0, "P5", 2, &pnm},
    {0, "P6", 2, &pnm},
};

static const struct codec *find_codec(const char *path, const struct df_file_bytes *file)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const size_t at = signatures[i].at, length = signatures[i].length;
        if (file->size >= at + length && memcmp(file->bytes + at, signatures[i].bytes, length) == 0)
            return signatures[i].codec;
    }
    /* TGA has no signature: only by its name, or any damaged file might pass for one. */
    if (file->size > 0 && dot && strcasecmp(dot, ".tga") == 0)
        return &tga;
    const char *foreign = df_foreign_format_of_content(file->bytes, file->size);
    if (file->size == 0)
        df_error_set("the file is empty");
    else
        df_error_set("%s%s%sneither JPEG, PNG, TIFF, WebP, BMP, GIF, TGA nor PNM", foreign ? "it is " : "",
                     foreign ? foreign : "", foreign ? ", " : "");
    return NULL;
}

static int decode(const struct codec *codec, const struct df_file_bytes *file,
                  const struct df_image_reading *reading, struct df_image *image)
{
    if (codec->decode_as)
        return codec->decode_as(file->bytes, file->size, reading, image);
    DF_TRY(codec->decode(file->bytes, file->size, image));
    return df_image_apply_reading(reading, image);
}

int df_image_read(const char *path, const struct df_image_reading *reading, struct df_image *image)
{
    static const struct df_image_reading as_it_comes = {0};
    struct df_file_bytes file;
    int status = -1;

    memset(image, 0, sizeof *image);
    DF_TRY(df_file_bytes_read(path, &file));
    const struct codec *codec = find_codec(path, &file);
    if (codec)
        status = decode(codec, &file, reading ? reading : &as_it_comes, image);
    if (status != 0) {
        df_image_free(image);
        df_error_context("cannot read the image %s", path);
    }
    df_file_bytes_free(&file);
    return status;
}

const char *df_image_format(const char *path)
{
    struct df_file_bytes file;

    if (df_file_bytes_read(path, &file) != 0)
        return NULL;
    const struct codec *codec = find_codec(path, &file);
    df_file_bytes_free(&file);
    return codec ? codec->name : NULL;
}

void df_image_warn(const char *path, const struct df_image *image)
{
    if (image->warning)
        df_log("warning: the image %s: %s", path, image->warning);
}

int df_image_orientation(const char *path)
{
    struct df_file_bytes file;

    if (df_file_bytes_read(path, &file) != 0)
        return 1;
    const struct codec *codec = find_codec(path, &file);
    const int orientation = codec && codec->orientation ? codec->orientation(file.bytes, file.size) : 1;
    df_file_bytes_free(&file);
    return orientation;
}

typedef int mask_decoder(const unsigned char *bytes, size_t size, struct df_image *mask);

static int read_mask(const char *path, struct df_image *mask, mask_decoder *of_png, mask_decoder *of_tiff)
{
    struct df_file_bytes file;
    int status = -1;

    memset(mask, 0, sizeof *mask);
    DF_TRY(df_file_bytes_read(path, &file));
    const struct codec *codec = find_codec(path, &file);
    if (codec == &png)
        status = of_png(file.bytes, file.size, mask);
    else if (codec == &tiff)
        status = of_tiff(file.bytes, file.size, mask);
    else if (codec)
        df_error_set("a mask must be a PNG or TIFF, this is a %s file", codec->name);
    if (status != 0) {
        df_image_free(mask);
        df_error_context("cannot read the mask %s", path);
    }
    df_file_bytes_free(&file);
    return status;
}

int df_mask_read(const char *path, struct df_image *mask)
{
    return read_mask(path, mask, df_png_decode_indices, df_tiff_decode_indices);
}

int df_mask_read_colors(const char *path, struct df_image *mask)
{
    return read_mask(path, mask, df_png_decode_colors, df_tiff_decode_colors);
}
