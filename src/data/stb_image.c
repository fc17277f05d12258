/* BMP and TGA, through stb_image with everything switched off that is not needed. */
#include "codec.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

/* Cleared memory: the library leaves what a cut file lacks unset. */
#define STBI_MALLOC(size)           calloc(1, size)
#define STBI_REALLOC(pointer, size) realloc(pointer, size)
#define STBI_FREE(pointer)          free(pointer)
#define STBI_MAX_DIMENSIONS         DF_IMAGE_MAX_SIDE
#define STBI_ONLY_BMP
#define STBI_ONLY_TGA
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

/* What stb_image reads ahead with. */
#define STB_BUFFER sizeof(((stbi__context *)0)->buffer_start)

struct source {
    const unsigned char *bytes;
    size_t size, position;
    bool cut; /* the decoder asked for more than there is; it goes on with zeros by itself */
};

static int read_source(void *user, char *data, int size)
{
    struct source *source = user;
    size_t left = source->size - source->position;
    size_t count = (size_t)size < left ? (size_t)size : left;

    /* The library's buffer is filled in advance, so a short read alone tells nothing; an empty one does, and
     * so does one that is short and not for that buffer. */
    if (count == 0 || (count < (size_t)size && (size_t)size != STB_BUFFER))
        source->cut = true;
    memcpy(data, source->bytes + source->position, count);
    source->position += count;
    return (int)count;
}

static void skip_source(void *user, int count)
{
    struct source *source = user;

    if (count < 0) {
        size_t back = (size_t) - (int64_t)count;
        source->position -= back < source->position ? back : source->position;
    } else if ((size_t)count > source->size - source->position) {
        source->position = source->size;
        source->cut = true;
    } else {
        source->position += (size_t)count;
    }
}

static int at_end(void *user)
{
    const struct source *source = user;
    return source->position == source->size;
}

static const stbi_io_callbacks callbacks = {read_source, skip_source, at_end};

static int fail(const char *what)
{
    const char *reason = stbi_failure_reason();

    if (strcmp(reason, "outofmem") == 0)
        return df_error_memory("reading an image", 0);
    return df_error_set("%s (%s)", what, reason);
}

/* Pixels that one byte of the file becomes at most. A BMP has one bit a pixel at least, and the library reads
 * none that are compressed; runs of TGA are 128 pixels of two bytes. */
static int64_t most_pixels(const unsigned char *bytes)
{
    return memcmp(bytes, "BM", 2) == 0 ? 8 : 64;
}

/* Before anything is decoded: dimensions that are too large never become an allocation. */
static int check_header(const unsigned char *bytes, size_t size)
{
    struct source source = {bytes, size, 0, false};
    int width, height, channels;

    if (!stbi_info_from_callbacks(&callbacks, &source, &width, &height, &channels))
        return fail("damaged header");
    return df_image_check_file(width, height, size, most_pixels(bytes));
}

/* Grey is repeated; alpha, the last of an even number of channels, is dropped. */
static void to_rgb(const uint8_t *pixels, int64_t count, int channels, uint8_t *rgb)
{
    const int colours = channels - (channels + 1) % 2;
    for (int64_t i = 0; i < count; i++) {
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = pixels[i * channels + (colours == 3 ? c : 0)];
    }
}

int df_stb_decode(const unsigned char *bytes, size_t size, struct df_image *image)
{
    struct source source = {bytes, size, 0, false};
    int width, height, channels;

    memset(image, 0, sizeof *image);
    DF_TRY(check_header(bytes, size));
    uint8_t *pixels = stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, 0);
    if (!pixels && source.cut) /* newer versions of the library notice it too, in words of each format */
        return df_error_set("premature end of file");
    if (!pixels)
        return fail("damaged file");
    int status = source.cut ? df_error_set("premature end of file") : df_image_alloc(image, width, height, 3);
    if (status == 0)
        to_rgb(pixels, (int64_t)width * height, channels, image->pixels);
    stbi_image_free(pixels);
    return status;
}
