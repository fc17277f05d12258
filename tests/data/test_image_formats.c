/* TIFF, WebP, GIF and PNM against OpenCV's pixels, ranges of values, bands, and what is said of files that
 * are read with a warning or not at all. */
#include "dinoft/image.h"
#include "fixtures/image_formats/image_format_goldens.h"
#include "src/data/codec.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDENS (sizeof format_goldens / sizeof format_goldens[0])

static const char *fixture(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/image_formats/%s", DINOFT_FIXTURES, name);
    return path;
}

static int read_as(const char *path, const char *range, const char *bands, struct df_image *image)
{
    struct df_image_reading reading;

    assert_works(df_image_reading_parse(range, bands, &reading) == 0);
    return df_image_read(path, &reading, image);
}

static void decodes_as_expected(void **state)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        const char *range = format_goldens[i].range, *bands = format_goldens[i].bands;
        struct df_image image;
        assert_works(read_as(fixture(format_goldens[i].file), range, bands, &image) == 0);
        if (image.width != format_goldens[i].width || image.height != format_goldens[i].height ||
            hash_bytes(image.pixels, (size_t)(image.width * image.height * 3)) != format_goldens[i].hash)
            fail_msg("other pixels than expected: %s, range %s, bands %s", format_goldens[i].file,
                     range ? range : "none", bands ? bands : "none");
        df_image_free(&image);
    }
}

static void refuse(const char *path, const char *range, const char *bands, const char *reason)
{
    struct df_image image;

    assert_int_equal(read_as(path, range, bands, &image), -1);
    assert_null(image.pixels);
    assert_error_has(path);
    assert_error_has(reason);
}

static void says_what_is_needed(void **state)
{
    refuse(fixture("float32.tif"), NULL, NULL, "its values are floats of 32 bits: --image_range MIN,MAX");
    refuse(fixture("int16.tif"), NULL, NULL, "signed integers of 16 bits: --image_range");
    refuse(fixture("uint32.tif"), NULL, NULL, "integers of 32 bits: --image_range");
    refuse(fixture("bands.tif"), NULL, NULL, "it has 6 bands: --bands says which");
    refuse(fixture("bands.tif"), "0,1", NULL, "it has 6 bands: --bands says which");
    refuse(fixture("four_bands.tif"), NULL, NULL, "it has 4 bands: --bands says which");
    refuse(fixture("bands.tif"), NULL, "1,2,7", "there is no band 7: it has 6");
    refuse(fixture("palette.tif"), NULL, "4", "there is no band 4: it has 3");
    refuse(fixture("lossless.webp"), NULL, "1,2,4", "there is no band 4: it has 3");
    refuse(fixture("../images/rgb16.png"), "0,9", "4", "there is no band 4: it has 3");
    refuse(fixture("animated.webp"), NULL, NULL, "an animated WebP");
    scratch_write_text("a.psd", "8BPS whatever follows");
    refuse(scratch_path("a.psd"), NULL, NULL, "it is PSD, neither JPEG, PNG, TIFF, WebP,");
}

static void assert_warns(const char *path, const char *words)
{
    struct df_image image;

    assert_works(df_image_read(path, NULL, &image) == 0);
    if (words)
        assert_non_null(strstr(image.warning, words));
    else
        assert_null(image.warning);
    df_image_free(&image);
}

static void warns_of_what_is_not_read(void **state)
{
    assert_warns(fixture("animated.gif"), "animated");
    assert_warns(fixture("pages.tif"), "more pages than one");
    assert_int_equal(df_mask_read(fixture("pages.tif"), &(struct df_image){0}), -1);
    assert_error_has("more pages than one");
    assert_warns(fixture("thumbnail.tif"), "a smaller copy");
    assert_warns(fixture("transparent.gif"), NULL);
    assert_warns(fixture("overview.tif"), NULL);
    assert_warns(fixture("../images/rgb420.jpg"), NULL);
}

/* Without its last two bytes: as whole as before, with a warning. With less of it: refused. */
static void cut_jpeg(const char *name)
{
    struct df_image whole, cut;
    char path[1024];
    size_t size;

    snprintf(path, sizeof path, "%s/images/%s", DINOFT_FIXTURES, name);
    unsigned char *bytes = read_whole(path, &size);
    assert_works(df_image_read(path, NULL, &whole) == 0);
    scratch_write(name, bytes, size - 2);
    assert_works(df_image_read(scratch_path(name), NULL, &cut) == 0);
    assert_non_null(strstr(cut.warning, "all its pixels are there"));
    assert_true(cut.width == whole.width && cut.height == whole.height);
    assert_memory_equal(cut.pixels, whole.pixels, (size_t)(3 * whole.width * whole.height));
    for (size_t less = 5; less < size; less += 1 + less / 8) {
        scratch_write(name, bytes, size - less);
        refuse(scratch_path(name), NULL, NULL, name);
    }
    df_image_free(&cut);
    df_image_free(&whole);
    free(bytes);
}

static void jpegs_without_an_end(void **state)
{
    cut_jpeg("rgb420.jpg");
    cut_jpeg("rgb444.jpg");
    cut_jpeg("progressive.jpg");
    cut_jpeg("grey.jpg");
    cut_jpeg("cmyk.jpg");
    cut_jpeg("orientation6.jpg");
}

/* Every scan but the last: coarse pixels, all of which seem to be there. */
static void progressive_jpegs_without_a_scan(void **state)
{
    size_t size;
    unsigned char *bytes = read_whole(fixture("../images/progressive.jpg"), &size);

    for (size_t i = 2; i + 1 < size; i++) {
        if (bytes[i] != 0xff || bytes[i + 1] != 0xda)
            continue;
        scratch_write("scan.jpg", bytes, i);
        refuse(scratch_path("scan.jpg"), NULL, NULL, "scan.jpg");
    }
    free(bytes);
}

static void orientations(void **state)
{
    char name[32];

    for (int i = 1; i <= 8; i++) {
        snprintf(name, sizeof name, "orientation%d.tif", i);
        assert_int_equal(df_image_orientation(fixture(name)), i);
    }
    assert_int_equal(df_image_orientation(fixture("orientation6.webp")), 6);
    assert_int_equal(df_image_orientation(fixture("lossless.webp")), 1);
}

static void settings_that_mean_nothing(void **state)
{
    static const char *const ranges[] = {"",      "0",    "0,",    ",1",    "1,0",      "1,1",
                                         "0,1,2", "0 ,1", "nan,1", "0,inf", "automatic"};
    static const char *const bands[] = {"",   "0",    "1,2",   "1,2,3,4", "1.5",
                                        "-1", "1,,2", "1,2,x", "65536",   "1,2,3,"};
    struct df_image_reading reading;

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        assert_int_equal(df_image_reading_parse(ranges[i], NULL, &reading), -1);
        assert_error_has("--image_range: expected MIN,MAX");
    }
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        assert_int_equal(df_image_reading_parse(NULL, bands[i], &reading), -1);
        assert_error_has("--bands: expected three numbers");
    }
    assert_int_equal(df_image_reading_parse("-1e3,.5", "3,3,1", &reading), 0);
    assert_true(reading.black == -1000.0 && reading.white == 0.5 && reading.n_bands == 3);
}

/* make.py has the same formula. */
static int label(int64_t x, int64_t y)
{
    return (int)(x * 300 + y);
}

static int index_at(const struct df_image *mask, int64_t at)
{
    uint16_t index;

    memcpy(&index, mask->pixels + 2 * at, sizeof index);
    return index;
}

static void reads_indices_of_tiffs(void **state)
{
    static const struct {
        const char *file;
        int modulo;
    } files[] = {{"labels16.tif", 1 << 16},
                 {"labels32.tif", 1 << 16},
                 {"labels8.tif", 21},
                 {"labels_palette.tif", 21},
                 {"labels_nbits.tif", 4}};
    struct df_image mask;
    size_t size;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unsigned char *bytes = read_whole(fixture(files[i].file), &size);
        assert_works(df_tiff_decode_indices(bytes, size, &mask) == 0);
        assert_true(mask.width == 37 && mask.height == 24);
        for (int64_t at = 0; at < 37 * 24; at++) {
            if (index_at(&mask, at) != label(at % 37, at / 37) % files[i].modulo)
                fail_msg("%s at %d, %d: %d", files[i].file, (int)at % 37, (int)at / 37, index_at(&mask, at));
        }
        df_image_free(&mask);
        free(bytes);
    }
    unsigned char *bytes = read_whole(fixture("labels_turned.tif"), &size); /* clockwise by 90 degrees */
    assert_works(df_tiff_decode_indices(bytes, size, &mask) == 0);
    assert_true(mask.width == 24 && mask.height == 37);
    assert_int_equal(index_at(&mask, 2 * 24 + 20), label(2, 3));
    df_image_free(&mask);
    free(bytes);
}

/* A TIFF of 8 x 2 pixels of so many bits, one strip. */
static const char *write_tiff(uint16_t bits, uint16_t photometric, const void *pixels, uint32_t size)
{
    const struct {
        uint16_t tag, type;
        uint32_t count, value;
    } entries[] = {{256, 3, 1, 8}, {257, 3, 1, 2},           {258, 3, 1, bits},
                   {259, 3, 1, 1}, {262, 3, 1, photometric}, {273, 4, 1, 8},
                   {277, 3, 1, 1}, {278, 3, 1, 2},           {279, 4, 1, size}};
    uint8_t file[256] = "II*";
    const uint32_t directory = 8 + size;
    const uint16_t count = sizeof entries / sizeof *entries;

    memcpy(file + 4, &directory, 4);
    memcpy(file + 8, pixels, size);
    memcpy(file + directory, &count, 2);
    memcpy(file + directory + 2, entries, sizeof entries);
    return scratch_write("white.tif", file, directory + 2 + sizeof entries + 4);
}

/* As Pillow and OpenCV: what one sees counts. */
static void white_may_be_0(void **state)
{
    static const uint8_t bits[2] = {0x01, 0xf0}, bytes[16] = {0, 255, 254, 253};
    static const uint8_t stored[16] = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
    struct df_image mask;

    for (int photometric = 0; photometric < 2; photometric++) {
        assert_works(df_mask_read(write_tiff(1, (uint16_t)photometric, bits, sizeof bits), &mask) == 0);
        for (int i = 0; i < 16; i++)
            assert_int_equal(((const uint16_t *)(const void *)mask.pixels)[i],
                             photometric == 0 ? 1 - stored[i] : stored[i]);
        df_image_free(&mask);
    }
    assert_works(df_mask_read(write_tiff(8, 0, bytes, sizeof bytes), &mask) == 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(((const uint16_t *)(const void *)mask.pixels)[i], 255 - bytes[i]);
    df_image_free(&mask);
}

static void refuses_other_tiffs_as_indices(void **state)
{
    static const struct {
        const char *file, *reason;
    } files[] = {{"float32.tif", "1 band of 32-bit floats"},
                 {"grey_alpha.tif", "2 bands"},
                 {"int16.tif", "is no index of a class (0 to 65535)"},
                 {"uint32.tif", "at column "}};
    struct df_image mask;
    size_t size;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unsigned char *bytes = read_whole(fixture(files[i].file), &size);
        assert_int_equal(df_tiff_decode_indices(bytes, size, &mask), -1);
        assert_null(mask.pixels);
        assert_error_has(files[i].reason);
        free(bytes);
    }
}

/* Three bands are colours; palette and grey are colours where these are asked for. */
static void tiffs_as_masks_of_colours(void **state)
{
    static const char *const files[] = {"rgb.tif", "labels_palette.tif", "labels8.tif"};
    struct df_image mask, image;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_works(df_mask_read_colors(fixture(files[i]), &mask) == 0);
        assert_works(df_image_read(fixture(files[i]), NULL, &image) == 0);
        assert_int_equal(mask.channels, 3);
        assert_memory_equal(mask.pixels, image.pixels, 37 * 24 * 3);
        df_image_free(&image);
        df_image_free(&mask);
    }
    assert_works(df_mask_read(fixture("rgb.tif"), &mask) == 0);
    assert_int_equal(mask.channels, 3);
    df_image_free(&mask);
    assert_int_equal(df_mask_read_colors(fixture("labels16.tif"), &mask), -1);
    assert_error_has("labels16.tif: a mask of colours must have three bands of 8 bits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_as_expected),
        cmocka_unit_test(says_what_is_needed),
        cmocka_unit_test(warns_of_what_is_not_read),
        cmocka_unit_test(jpegs_without_an_end),
        cmocka_unit_test(progressive_jpegs_without_a_scan),
        cmocka_unit_test(orientations),
        cmocka_unit_test(settings_that_mean_nothing),
        cmocka_unit_test(reads_indices_of_tiffs),
        cmocka_unit_test(white_may_be_0),
        cmocka_unit_test(tiffs_as_masks_of_colours),
        cmocka_unit_test(refuses_other_tiffs_as_indices),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
