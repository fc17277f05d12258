/* Images when memory runs out: each call that wants some fails once, and the result is whole or an error. A
 * mistake in who frees what, such as a block that is freed twice, ends the process. */
#include "support/allocations.h"
#include "support/cmocka_all.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH  150
#define HEIGHT 100

struct result {
    uint8_t *bytes;
    size_t size;
};

/* 0, or -1 with the error set and no result. */
typedef int image_function(const struct df_image *source, struct result *result);

/* Files of many times 4 KiB: at quality 95 noise hardly shrinks. */
static struct df_image noise;

static int make_noise(void **state)
{
    struct df_rng rng;

    df_rng_seed(&rng, 3, 0);
    if (df_image_alloc(&noise, WIDTH, HEIGHT, 3) != 0)
        return -1;
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        noise.pixels[i] = (uint8_t)(256.0 * df_rng_double(&rng));
    return 0;
}

static int clear_away(void **state)
{
    df_image_free(&noise);
    scratch_remove(NULL);
    return 0;
}

static int encode_jpeg(const struct df_image *source, struct result *result)
{
    result->bytes = df_jpeg_encode(source, 95, &result->size);
    return result->bytes ? 0 : -1;
}

static int encode_png(const struct df_image *source, struct result *result)
{
    result->bytes = df_png_encode(source, &result->size);
    return result->bytes ? 0 : -1;
}

static int round_trip(const struct df_image *source, struct result *result)
{
    struct df_image image;

    if (df_image_alloc(&image, source->width, source->height, 3) != 0)
        return -1;
    result->size = (size_t)(source->width * source->height * 3);
    memcpy(image.pixels, source->pixels, result->size);
    const int status = df_jpeg_round_trip(&image, 95);
    if (status == 0)
        result->bytes = image.pixels;
    else
        df_image_free(&image);
    return status;
}

static int shrink(const struct df_image *source, struct result *result)
{
    struct df_image image = {0};

    DF_TRY(df_shrink(source, 40, 30, &image));
    *result = (struct result){image.pixels, 40 * 30 * 3};
    return 0;
}

static int resize(const struct df_image *source, struct result *result)
{
    *result = (struct result){malloc(40 * 30 * 3), 40 * 30 * 3};
    if (!result->bytes)
        return df_error_memory("the test", 40 * 30 * 3);
    const int status = df_resize_linear(source, result->bytes, 40, 30);
    if (status != 0) {
        free(result->bytes);
        result->bytes = NULL;
    }
    return status;
}

/* Returns the size of what comes out when nothing fails. */
static size_t fail_each_call(const char *what, image_function *function, const struct df_image *source)
{
    struct result whole = {0};
    long calls = 0;

    if (function(source, &whole) != 0)
        fail_msg("%s: %s", what, df_error_text());
    for (long n = 0; n <= calls; n++) {
        struct result result = {0};
        df_error_set("an earlier error");
        allocations_fail(n, 1);
        const int status = function(source, &result);
        calls = allocations_end_failing();
        if (status == 0) {
            assert_int_equal(result.size, whole.size);
            assert_memory_equal(result.bytes, whole.bytes, whole.size);
        } else if (n >= calls || strcmp(df_error_text(), "an earlier error") == 0 || result.bytes) {
            fail_msg("%s, call %ld of %ld: %s", what, n, calls, df_error_text());
        }
        free(result.bytes);
    }
    assert_true(calls > 0);
    free(whole.bytes);
    return whole.size;
}

static void writing_is_whole_or_an_error(void **state)
{
    if (!allocations_can_be_counted())
        skip();
    assert_true(fail_each_call("JPEG", encode_jpeg, &noise) > 4 * 4096);
    assert_true(fail_each_call("PNG", encode_png, &noise) > 4 * 4096);
    fail_each_call("JPEG and back", round_trip, &noise);
    fail_each_call("shrinking", shrink, &noise);
    fail_each_call("resizing", resize, &noise);
}

/* Of the file that the next test is at. */
static const char *file_to_read;
static int (*reader)(const char *path, struct df_image *image);

static int read_image(const char *path, struct df_image *image)
{
    return df_image_read(path, NULL, image);
}

static int read_file(const struct df_image *source, struct result *result)
{
    struct df_image image;

    DF_TRY(reader(file_to_read, &image));
    *result = (struct result){image.pixels, (size_t)(image.width * image.height * image.channels)};
    return 0;
}

static void reading_is_whole_or_an_error(void **state)
{
    static const char *const files[] = {"rgb420.jpg",
                                        "cmyk.jpg",
                                        "orientation6.jpg",
                                        "rgb.png",
                                        "rgba16.png",
                                        "palette.gif",
                                        "progressive.jpg",
                                        "rgb.bmp",
                                        "rgb.tga",
                                        "rgb.ppm",
                                        "orientation6.png",
                                        "deep.ppm",
                                        "ascii.ppm",
                                        "transparent.gif",
                                        "lossy.webp",
                                        "orientation6.webp",
                                        "rgb_tiles_lzw.tif",
                                        "rgb_planes_deflate.tif",
                                        "rgb_zstd.tif",
                                        "rgb16.tif",
                                        "grey16.tif",
                                        "ycbcr_jpeg.tif",
                                        "palette.tif",
                                        "bits_group4.tif",
                                        "orientation6_tiles.tif",
                                        "three_bands.tif",
                                        "mask_palette4.png",
                                        "mask_interlaced2.png"};
    char path[1024];

    if (!allocations_can_be_counted())
        skip();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/images/%s", DINOFT_FIXTURES, files[i]);
        if (access(path, R_OK) != 0)
            snprintf(path, sizeof path, "%s/image_formats/%s", DINOFT_FIXTURES, files[i]);
        file_to_read = path;
        reader = strncmp(files[i], "mask", 4) == 0 ? df_mask_read : read_image;
        fail_each_call(files[i], read_file, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_is_whole_or_an_error),
        cmocka_unit_test(reading_is_whole_or_an_error),
    };
    return cmocka_run_group_tests(tests, make_noise, clear_away);
}
