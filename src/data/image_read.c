/* A file's format is told from its content, and the decoder of that format called. */
#include "codec.h"
#include "foreign_formats.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"

#include <string.h>
#include <strings.h>

struct codec {
    const char *name;
    int (*decode)(const unsigned char *bytes, size_t size, struct df_image *image);
    int (*orientation)(const unsigned char *bytes, size_t size); /* NULL: there is none in such files */
};

static const struct codec jpeg = {"JPEG", df_jpeg_decode, df_jpeg_orientation};
static const struct codec png = {"PNG", df_png_decode, df_png_orientation};
static const struct codec other = {"BMP, GIF, TGA, PNM or PSD", df_stb_decode, NULL};

static const struct {
    const char *start;
    size_t length;
    const struct codec *codec;
} signatures[] = {
    {"\xff\xd8\xff", 3, &jpeg}, {"\x89PNG\r\n\x1a\n", 8, &png},
    {"BM", 2, &other},          {"GIF8", 4, &other},
    {"P5", 2, &other},          {"P6", 2, &other},
    {"8BPS", 4, &other},
};

static const struct codec *find_codec(const char *path, const struct df_file_bytes *file)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        size_t length = signatures[i].length;
        if (file->size >= length && memcmp(file->bytes, signatures[i].start, length) == 0)
            return signatures[i].codec;
    }
    /* TGA has no signature: only by its name, or any damaged file might pass for one. */
    if (file->size > 0 && dot && strcasecmp(dot, ".tga") == 0)
        return &other;
    const char *foreign = df_foreign_format_of_content(file->bytes, file->size);
    if (file->size == 0)
        df_error_set("the file is empty");
    else
        df_error_set("%s%s%sneither JPEG, PNG, BMP, GIF, TGA, PNM nor PSD", foreign ? "it is " : "",
                     foreign ? foreign : "", foreign ? ", " : "");
    return NULL;
}

int df_image_read(const char *path, struct df_image *image)
{
    struct df_file_bytes file;
    int status = -1;

    memset(image, 0, sizeof *image);
    DF_TRY(df_file_bytes_read(path, &file));
    const struct codec *codec = find_codec(path, &file);
    if (codec)
        status = codec->decode(file.bytes, file.size, image);
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

/* decode: of a PNG. */
static int read_mask(const char *path, struct df_image *mask,
                     int (*decode)(const unsigned char *bytes, size_t size, struct df_image *mask))
{
    struct df_file_bytes file;
    int status = -1;

    memset(mask, 0, sizeof *mask);
    DF_TRY(df_file_bytes_read(path, &file));
    const struct codec *codec = find_codec(path, &file);
    if (codec == &png)
        status = decode(file.bytes, file.size, mask);
    else if (codec)
        df_error_set("a mask must be a PNG, this is a %s file", codec->name);
    if (status != 0) {
        df_image_free(mask);
        df_error_context("cannot read the mask %s", path);
    }
    df_file_bytes_free(&file);
    return status;
}

int df_mask_read(const char *path, struct df_image *mask)
{
    return read_mask(path, mask, df_png_decode_indices);
}

int df_mask_read_colors(const char *path, struct df_image *mask)
{
    return read_mask(path, mask, df_png_decode_colors);
}
