#include "dinoft/image.h"

#include "codec.h"
#include "dinoft/atomic_write.h"
#include "dinoft/error.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
        .color_type = palette ? SPNG_COLOR_TYPE_INDEXED : SPNG_COLOR_TYPE_TRUECOLOR,
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

static struct spng_plte palette_chunk(const uint8_t palette[256][3], int count)
{
    struct spng_plte chunk = {.n_entries = (uint32_t)count};

    for (int i = 0; i < count; i++)
        chunk.entries[i] =
            (struct spng_plte_entry){.red = palette[i][0], .green = palette[i][1], .blue = palette[i][2]};
    return chunk;
}

int df_png_write_palette(const char *path, const struct df_image *indices, const uint8_t palette[256][3])
{
    struct spng_plte chunk = palette_chunk(palette, 256);

    assert(indices->channels == 1);
    return write_png(path, indices, &chunk);
}

void *df_png_encode_classes(const struct df_image *classes, int64_t width, int64_t height,
                            const uint8_t palette[256][3], size_t *size)
{
    struct df_image small = {0};
    uint8_t used[256][3], entry[256];
    bool has_entry[256] = {false};
    int count = 0;

    assert(classes->channels == 1);
    if (df_image_alloc(&small, width, height, 1) != 0)
        return NULL;
    df_resize_nearest(classes, small.pixels, width, height);
    for (int64_t i = 0; i < width * height; i++) {
        uint8_t *pixel = &small.pixels[i];
        if (!has_entry[*pixel]) {
            has_entry[*pixel] = true;
            entry[*pixel] = (uint8_t)count;
            memcpy(used[count++], palette[*pixel], 3);
        }
        *pixel = entry[*pixel];
    }
    struct spng_plte chunk = palette_chunk(used, count);
    void *file = encode(&small, &chunk, size);
    df_image_free(&small);
    return file;
}
