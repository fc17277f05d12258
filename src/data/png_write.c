#include "dinoft/image.h"

#include "codec.h"
#include "dinoft/atomic_write.h"
#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>

#include <spng.h>

/* Pictures take the fastest deflate with one filter: a fifth of the time of zlib's default with the best
 * filter for each row, for files that are a twentieth larger. Masks are small either way. */
static int choose_effort(spng_ctx *png)
{
    int code = spng_set_option(png, SPNG_IMG_COMPRESSION_LEVEL, 1);
    if (code == 0)
        code = spng_set_option(png, SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_SUB);
    return code;
}

/* The file in memory, which the caller frees; NULL with the error set. */
static void *encode(const struct df_image *image, struct spng_plte *palette, size_t *size)
{
    struct spng_ihdr header = {
        .width = (uint32_t)image->width,
        .height = (uint32_t)image->height,
        .bit_depth = 8,
        .color_type = palette                ? SPNG_COLOR_TYPE_INDEXED
                      : image->channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE
                                             : SPNG_COLOR_TYPE_TRUECOLOR,
    };
    const size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    void *file = NULL;
    int code = SPNG_EMEM;
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);

    if (png)
        code = spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    if (code == 0)
        code = spng_set_ihdr(png, &header);
    if (code == 0)
        code = palette ? spng_set_plte(png, palette) : choose_effort(png);
    if (code == 0)
        code = spng_encode_image(png, image->pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    if (code == 0)
        file = spng_get_png_buffer(png, size, &code);
    if (!file && df_png_lacks_memory(code))
        df_error_memory("writing a PNG", 0);
    else if (!file)
        df_error_set("cannot encode an image: %s", spng_strerror(code));
    spng_ctx_free(png);
    return file;
}

static int write_png(const char *path, const struct df_image *image, struct spng_plte *palette)
{
    size_t size;
    void *file = encode(image, palette, &size);

    if (!file)
        return df_error_context("cannot write the image %s", path);
    const int status = df_atomic_write(path, file, size);
    free(file);
    return status;
}

void *df_png_encode(const struct df_image *image, size_t *size)
{
    assert(image->channels == 3);
    return encode(image, NULL, size);
}

int df_png_write_rgb(const char *path, const struct df_image *image)
{
    assert(image->channels == 3);
    return write_png(path, image, NULL);
}

int df_png_write_grey(const char *path, const struct df_image *image)
{
    assert(image->channels == 1);
    return write_png(path, image, NULL);
}

int df_png_write_palette(const char *path, const struct df_image *indices, const uint8_t palette[256][3])
{
    struct spng_plte entries = {.n_entries = 256};

    assert(indices->channels == 1);
    for (int i = 0; i < 256; i++)
        entries.entries[i] =
            (struct spng_plte_entry){.red = palette[i][0], .green = palette[i][1], .blue = palette[i][2]};
    return write_png(path, indices, &entries);
}
