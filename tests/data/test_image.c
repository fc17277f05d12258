/* Decoding against OpenCV's pixels, masks, writing, and the texts of failures. */
#include "data/goldens.h"
#include "dinoft/image.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDENS (sizeof decoded_goldens / sizeof decoded_goldens[0])

static const char *fixture(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/images/%s", DINOFT_FIXTURES, name);
    return path;
}

static void decodes_as_opencv_does(void **state)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        struct df_image image;
        assert_works(df_image_read(fixture(decoded_goldens[i].file), NULL, &image) == 0);
        assert_int_equal(image.width, decoded_goldens[i].width);
        assert_int_equal(image.height, decoded_goldens[i].height);
        assert_int_equal(image.channels, 3);
        if (hash_bytes(image.pixels, (size_t)(image.width * image.height * 3)) != decoded_goldens[i].hash)
            fail_msg("other pixels than OpenCV's: %s", decoded_goldens[i].file);
        df_image_free(&image);
    }
}

static int tiles(int x, int y)
{
    return (x / 5 + y / 4) % 4;
}

static int odd_tiles(int x, int y)
{
    return tiles(x, y) % 2;
}

static int sixteen(int x, int y)
{
    return (x / 3 + y) % 16;
}

static int labels(int x, int y)
{
    return x == 18 ? 255 : (x + y * 3) % 21;
}

static void reads_mask_indices_untouched(void **state)
{
    static const struct {
        const char *file;
        int (*value)(int x, int y);
    } masks[] = {{"mask_palette1.png", odd_tiles}, {"mask_palette2.png", tiles},
                 {"mask_palette4.png", sixteen},   {"mask_grey2.png", tiles},
                 {"mask_interlaced2.png", tiles},  {"mask_palette8.png", labels},
                 {"mask_grey8.png", labels}};

    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        struct df_image mask;
        assert_int_equal(df_mask_read(fixture(masks[i].file), &mask), 0);
        assert_int_equal(mask.channels, 1);
        assert_int_equal(mask.width, 37);
        assert_int_equal(mask.height, 24);
        for (int y = 0; y < 24; y++)
            for (int x = 0; x < 37; x++)
                if (mask.pixels[y * 37 + x] != masks[i].value(x, y))
                    fail_msg("%s at %d, %d", masks[i].file, x, y);
        df_image_free(&mask);
    }
}

static void refuses_other_files_as_masks(void **state)
{
    static const struct {
        const char *file, *found;
    } cases[] = {{"rgba16.png", "transparent at column "},
                 {"grey_alpha.png", "transparent at column "},
                 {"rgb420.jpg", "JPEG"},
                 {"rgb.bmp", "BMP"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct df_image mask;
        assert_int_equal(df_mask_read(fixture(cases[i].file), &mask), -1);
        assert_null(mask.pixels);
        assert_error_has(cases[i].file);
        assert_error_has(cases[i].found);
    }
}

static void refuse(const char *name, const char *reason)
{
    struct df_image image;
    assert_int_equal(df_image_read(scratch_path(name), NULL, &image), -1);
    assert_null(image.pixels);
    assert_error_has(name);
    assert_error_has(reason);
}

static void names_the_file_and_the_reason(void **state)
{
    size_t size;

    refuse("absent.jpg", "No such file");
    scratch_write("empty.jpg", "", 0);
    refuse("empty.jpg", "empty");
    scratch_write_text("text.jpg", "this is not a picture");
    refuse("text.jpg", "neither JPEG, PNG");
    unsigned char *bytes = read_whole(fixture("rgb420.jpg"), &size);
    scratch_write("cut.jpg", bytes, size - 40);
    refuse("cut.jpg", "remature end of JPEG file");
    free(bytes);
    bytes = read_whole(fixture("rgb.png"), &size);
    scratch_write("cut.png", bytes, size / 2);
    refuse("cut.png", "damaged PNG");
    bytes[size - 13] ^= 1; /* the checksum of the pixels: before it stand 12 bytes of IEND */
    scratch_write("checksum.png", bytes, size);
    refuse("checksum.png", "chunk checksum");
    free(bytes);
    bytes = read_whole(fixture("rgb.ppm"), &size);
    scratch_write("cut.ppm", bytes, size - 100);
    refuse("cut.ppm", "premature end");
    free(bytes);
}

static void refuses_huge_dimensions(void **state)
{
    static const unsigned char png[] = {0x89, 'P',  'N', 'G', '\r', '\n', 0x1a, '\n', 0,    0,    0,
                                        13,   'I',  'H', 'D', 'R',  0,    0,    0x7f, 0xff, 0,    0,
                                        0x7f, 0xff, 8,   2,   0,    0,    0,    0x6f, 0xe6, 0x4a, 0x22};

    scratch_write_text("huge.ppm", "P6 30000 30000 255\n123");
    refuse("huge.ppm", "at most");
    scratch_write_text("wide.ppm", "P6 99999 1 255\n123");
    refuse("wide.ppm", "wide.ppm");
    scratch_write("huge.png", png, sizeof png);
    refuse("huge.png", "huge.png");
}

static void long_numbers_of_a_pnm(void **state)
{
    struct df_image image;

    scratch_write_text("overflow.pgm", "P5 4294967297 1 255\nA");
    refuse("overflow.pgm", "10 digits");
    scratch_write_text("overflow.ppm", "P6\n1 # width\n4294967297 255\nABC");
    refuse("overflow.ppm", "10 digits");
    scratch_write_text("commented.pgm", "P5 # 12345678901\n1 1\n#\n255\nA");
    assert_int_equal(df_image_read(scratch_path("commented.pgm"), NULL, &image), 0);
    assert_true(image.width == 1 && image.height == 1 && image.pixels[0] == 'A');
    df_image_free(&image);
}

static void png_round_trip(void **state)
{
    struct df_image image, again;
    uint8_t palette[256][3];

    assert_int_equal(df_image_read(fixture("rgb.png"), NULL, &image), 0);
    assert_int_equal(df_png_write_rgb(scratch_path("again.png"), &image), 0);
    assert_int_equal(df_image_read(scratch_path("again.png"), NULL, &again), 0);
    assert_memory_equal(image.pixels, again.pixels, 37 * 24 * 3);
    df_image_free(&image);
    df_image_free(&again);

    for (int i = 0; i < 256; i++)
        memset(palette[i], 255 - i, 3);
    assert_int_equal(df_mask_read(fixture("mask_palette8.png"), &image), 0);
    assert_int_equal(df_png_write_palette(scratch_path("again.png"), &image, palette), 0);
    assert_int_equal(df_mask_read(scratch_path("again.png"), &again), 0);
    assert_memory_equal(image.pixels, again.pixels, 37 * 24);
    df_image_free(&again);
    assert_int_equal(df_image_read(scratch_path("again.png"), NULL, &again), 0);
    for (int i = 0; i < 37 * 24; i++)
        assert_int_equal(again.pixels[3 * i + 1], 255 - image.pixels[i]);
    df_image_free(&image);
    df_image_free(&again);
}

static void jpeg_round_trip(void **state)
{
    struct df_image image, again;
    double difference = 0.0;

    assert_int_equal(df_image_alloc(&image, 45, 31, 3), 0);
    for (int i = 0; i < 45 * 31; i++)
        for (int c = 0; c < 3; c++)
            image.pixels[3 * i + c] = (uint8_t)(60 + i % 45 * 2 + i / 45 + c * 9);
    assert_int_equal(df_jpeg_write(scratch_path("again.jpg"), &image, 95), 0);
    assert_int_equal(df_image_read(scratch_path("again.jpg"), NULL, &again), 0);
    for (int i = 0; i < 45 * 31 * 3; i++)
        difference += fabs((double)image.pixels[i] - again.pixels[i]);
    assert_true(difference / (45 * 31 * 3) < 2.0);
    df_image_free(&again);
    assert_int_equal(df_jpeg_write("absent-folder/again.jpg", &image, 95), -1);
    assert_error_has("again.jpg");
    df_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_as_opencv_does),
        cmocka_unit_test(reads_mask_indices_untouched),
        cmocka_unit_test(refuses_other_files_as_masks),
        cmocka_unit_test(names_the_file_and_the_reason),
        cmocka_unit_test(refuses_huge_dimensions),
        cmocka_unit_test(long_numbers_of_a_pnm),
        cmocka_unit_test(png_round_trip),
        cmocka_unit_test(jpeg_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
