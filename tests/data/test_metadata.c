/* What stands in picture files beside the pixels: EXIF's orientation however it is written, and damaged texts
 * and profiles, which cost no pixel. */
#include "dinoft/dataset.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define EXIF_BYTES 26 /* header, one entry, no next directory */
#define WIDTH      37 /* of the fixtures */
#define HEIGHT     24

static const char *fixture(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/images/%s", DINOFT_FIXTURES, name);
    return path;
}

static void put(unsigned char *to, uint32_t value, int bytes, bool big_endian)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * (big_endian ? bytes - 1 - i : i));
}

/* A TIFF structure with the orientation as a value of `bytes` bytes of a type. */
static void make_exif(unsigned char exif[EXIF_BYTES], int orientation, uint32_t type, int bytes,
                      bool big_endian)
{
    memset(exif, 0, EXIF_BYTES);
    memcpy(exif, big_endian ? "MM" : "II", 2);
    put(exif + 2, 42, 2, big_endian);
    put(exif + 4, 8, 4, big_endian);
    put(exif + 8, 1, 2, big_endian);
    put(exif + 10, 0x0112, 2, big_endian);
    put(exif + 12, type, 2, big_endian);
    put(exif + 14, 1, 4, big_endian);
    put(exif + 18, (uint32_t)orientation, bytes, big_endian);
}

/* A fixture with `count` bytes more at a place. */
static void write_with(const char *name, const char *source, size_t at, const unsigned char *bytes,
                       size_t count)
{
    size_t size;
    unsigned char *good = read_whole(fixture(source), &size);
    unsigned char *changed = malloc(size + count);

    assert_non_null(changed);
    assert_true(at <= size);
    memcpy(changed, good, at);
    memcpy(changed + at, bytes, count);
    memcpy(changed + at + count, good + at, size - at);
    scratch_write(name, changed, size + count);
    free(changed);
    free(good);
}

static void write_jpeg(const char *name, const unsigned char exif[EXIF_BYTES])
{
    unsigned char segment[10 + EXIF_BYTES] = {0xff, 0xe1, 0, 8 + EXIF_BYTES, 'E', 'x', 'i', 'f', 0, 0};
    memcpy(segment + 10, exif, EXIF_BYTES);
    write_with(name, "rgb420.jpg", 2, segment, sizeof segment);
}

/* The chunk, whose checksum is wrong by `error`, before the end of the file or before its pixels. */
static void write_png(const char *name, const char *source, const char *kind, const void *body, size_t size,
                      uint32_t error, bool behind)
{
    unsigned char chunk[12 + 256];
    size_t whole;

    assert_true(size <= 256);
    put(chunk, (uint32_t)size, 4, true);
    memcpy(chunk + 4, kind, 4);
    if (size > 0)
        memcpy(chunk + 8, body, size);
    put(chunk + 8 + size, (uint32_t)crc32(0, chunk + 4, (uInt)(4 + size)) ^ error, 4, true);
    free(read_whole(fixture(source), &whole));
    write_with(name, source, behind ? whole - 12 : 33, chunk, 12 + size);
}

static struct df_image read_image(const char *path)
{
    struct df_image image;
    assert_works(df_image_read(path, NULL, &image) == 0);
    return image;
}

static void assert_same_pixels(const char *name, const struct df_image *expected)
{
    struct df_image image = read_image(scratch_path(name));
    assert_int_equal(image.width, expected->width);
    assert_int_equal(image.height, expected->height);
    assert_memory_equal(image.pixels, expected->pixels,
                        (size_t)(image.width * image.height * image.channels));
    df_image_free(&image);
}

/* --- EXIF --- */

static void orientation_of_any_integer_type(void **state)
{
    static const struct {
        uint32_t type;
        int bytes;
    } integers[] = {{1, 1}, {3, 2}, {4, 4}, {6, 1}, {8, 2}, {9, 4}, {13, 4}};
    unsigned char exif[EXIF_BYTES];

    for (int orientation = 1; orientation <= 8; orientation++) {
        make_exif(exif, orientation, 3, 2, false);
        write_jpeg("short.jpg", exif);
        struct df_image expected = read_image(scratch_path("short.jpg"));
        assert_int_equal(expected.width, orientation < 5 ? WIDTH : HEIGHT);
        for (size_t i = 0; i < 2 * sizeof integers / sizeof *integers; i++) {
            make_exif(exif, orientation, integers[i / 2].type, integers[i / 2].bytes, i % 2 == 1);
            write_jpeg("other.jpg", exif);
            assert_same_pixels("other.jpg", &expected);
            assert_int_equal(df_image_orientation(scratch_path("other.jpg")), orientation);
        }
        df_image_free(&expected);
    }
}

static void other_types_turn_nothing(void **state)
{
    static const uint32_t types[] = {0, 2, 5, 7, 10, 11, 12, 14, 255, 65535};
    struct df_image expected = read_image(fixture("rgb420.jpg"));
    unsigned char exif[EXIF_BYTES];

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        make_exif(exif, 6, types[i], 2, false);
        write_jpeg("type.jpg", exif);
        assert_same_pixels("type.jpg", &expected);
    }
    make_exif(exif, 6 + 65536, 4, 4, false); /* no orientation, though its low half is one */
    write_jpeg("large.jpg", exif);
    assert_same_pixels("large.jpg", &expected);
    assert_int_equal(df_image_orientation(scratch_path("large.jpg")), 1);
    assert_int_equal(df_image_orientation(scratch_path("absent.jpg")), 1);
    assert_int_equal(df_image_orientation(fixture("rgb.bmp")), 1);
    assert_int_equal(df_image_orientation(fixture("rgb.png")), 1);
    assert_int_equal(df_image_orientation(fixture("orientation6.png")), 6);
    df_image_free(&expected);
}

static void a_turned_image_beside_its_mask(void **state)
{
    const struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = scratch_path("turned"), .n_classes = 2};
    unsigned char exif[EXIF_BYTES];
    struct df_image image, mask;

    make_exif(exif, 8, 4, 4, false);
    write_jpeg("turned/images/train/a.jpg", exif);
    scratch_mask("turned/masks/train/a.png", WIDTH, HEIGHT, 1); /* as the file has it */
    write_jpeg("turned/images/train/b.jpg", exif);
    scratch_mask("turned/masks/train/b.png", HEIGHT, WIDTH, 1); /* as one sees it */
    write_with("turned/images/train/c.jpg", "rgb420.jpg", 0, exif, 0);
    scratch_mask("turned/masks/train/c.png", HEIGHT, WIDTH, 1); /* turned, where the image is not */
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_non_null(dataset);
    assert_int_equal(df_dataset_read(dataset, 0, &image, &mask), -1);
    assert_error_has("a.jpg has 24 x 37 pixels, its mask");
    assert_error_has(
        "a.png has 37 x 24: the image's EXIF orientation 8 turns it, and nothing turns the mask");
    assert_int_equal(df_dataset_read(dataset, 1, &image, &mask), 0);
    df_image_free(&image);
    df_image_free(&mask);
    assert_int_equal(df_dataset_read(dataset, 2, &image, &mask), -1);
    assert_error_has("c.png has 24 x 37");
    assert_null(strstr(df_error_text(), "EXIF"));
    df_dataset_free(dataset);
}

/* --- chunks of PNG --- */

static const char *const harmless[] = {"tEXt", "zTXt", "iTXt", "iCCP", "gAMA", "sRGB", "cHRM", "pHYs",
                                       "tIME", "sBIT", "bKGD", "tRNS", "eXIf", "sPLT", "abCd"};

static void wrong_checksums_beside_the_pixels(void **state)
{
    static const unsigned char body[16] = "Comment\0hello";
    struct df_image expected = read_image(fixture("rgb.png")), labels, found;

    assert_int_equal(df_mask_read(fixture("mask_palette8.png"), &labels), 0);
    for (size_t i = 0; i < 2 * sizeof harmless / sizeof *harmless; i++) {
        const char *kind = harmless[i / 2];
        write_png("crc.png", "rgb.png", kind, body, sizeof body, 0x5a5a, i % 2 == 1);
        assert_same_pixels("crc.png", &expected);
        write_png("mask.png", "mask_palette8.png", kind, body, sizeof body, 1, i % 2 == 1);
        if (df_mask_read(scratch_path("mask.png"), &found) != 0)
            fail_msg("%s: %s", kind, df_error_text());
        assert_memory_equal(found.pixels, labels.pixels, WIDTH * HEIGHT);
        df_image_free(&found);
    }
    df_image_free(&expected);
    df_image_free(&labels);
}

static void wrong_checksums_of_what_pixels_need(void **state)
{
    static const char *const kinds[] = {"PLTE", "IDAT", "IEND"};
    struct df_image image;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size, at = 8;
        unsigned char *bytes = read_whole(fixture("palette8.png"), &size);
        while (memcmp(bytes + at + 4, kinds[i], 4) != 0)
            at += 12 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3]);
        bytes[at + 8 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3])] ^= 1;
        scratch_write("need.png", bytes, size);
        assert_int_equal(df_image_read(scratch_path("need.png"), NULL, &image), -1);
        assert_error_has("need.png: damaged PNG: invalid chunk checksum");
        free(bytes);
    }
}

static void exif_in_png(void **state)
{
    struct df_image expected = read_image(fixture("rgb.png"));
    unsigned char exif[EXIF_BYTES];

    make_exif(exif, 6, 3, 2, true);
    for (int behind = 0; behind < 2; behind++) {
        write_png("exif.png", "rgb.png", "eXIf", exif, sizeof exif, 0, behind == 1);
        struct df_image image = read_image(scratch_path("exif.png"));
        assert_int_equal(image.width, HEIGHT);
        assert_int_equal(image.pixels[3 * (HEIGHT - 1)], expected.pixels[0]);
        df_image_free(&image);
        write_png("exif.png", "rgb.png", "eXIf", exif, sizeof exif, 1, behind == 1); /* not believed */
        assert_same_pixels("exif.png", &expected);
    }
    df_image_free(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orientation_of_any_integer_type),
        cmocka_unit_test(other_types_turn_nothing),
        cmocka_unit_test(a_turned_image_beside_its_mask),
        cmocka_unit_test(wrong_checksums_beside_the_pixels),
        cmocka_unit_test(wrong_checksums_of_what_pixels_need),
        cmocka_unit_test(exif_in_png),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
