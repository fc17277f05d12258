/* Windows of TIFFs have the pixels of the whole image, whatever lies in the file. */
#include "src/data/image_windows.h"
#include "fixtures/image_formats/image_format_goldens.h"
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

static void check_window(struct df_image_windows *windows, const struct df_image *whole,
                         const struct df_image_part *part, const char *name)
{
    uint8_t *pixels = malloc((size_t)(part->width * part->height) * 3);

    assert_non_null(pixels);
    assert_works(df_image_windows_read(windows, part, pixels) == 0);
    for (int64_t y = 0; y < part->height; y++) {
        if (memcmp(pixels + y * part->width * 3, whole->pixels + ((part->y + y) * whole->width + part->x) * 3,
                   (size_t)part->width * 3) != 0)
            fail_msg("%s: row %d of the window at %d, %d differs", name, (int)y, (int)part->x, (int)part->y);
    }
    free(pixels);
}

/* All of it, windows that overlap from top to bottom, single pixels from the end on. */
static void check_file(const char *name, const struct df_image_reading *reading, int64_t rows)
{
    struct df_image whole;

    assert_works(df_image_read(fixture(name), reading, &whole) == 0);
    struct df_image_windows *windows = df_image_windows_open(fixture(name), reading, rows);
    assert_works(windows != NULL);
    assert_int_equal(df_image_windows_width(windows), whole.width);
    assert_int_equal(df_image_windows_height(windows), whole.height);
    const char *warning = df_image_windows_warning(windows);
    assert_string_equal(warning ? warning : "", whole.warning ? whole.warning : "");
    check_window(windows, &whole, &(struct df_image_part){0, 0, whole.width, whole.height}, name);
    for (int64_t y = 0; y < whole.height; y += 5) {
        for (int64_t x = 0; x < whole.width; x += 3) {
            const int64_t width = whole.width - x < 7 ? whole.width - x : 7;
            const int64_t height = whole.height - y < 9 ? whole.height - y : 9;
            check_window(windows, &whole, &(struct df_image_part){x, y, width, height}, name);
        }
    }
    for (int64_t at = whole.width * whole.height - 1; at >= 0; at -= 13)
        check_window(windows, &whole, &(struct df_image_part){at % whole.width, at / whole.width, 1, 1},
                     name);
    df_image_windows_close(windows);
    df_image_free(&whole);
}

static void have_the_pixels_of_the_whole(void **state)
{
    int tiffs = 0;

    for (size_t i = 0; i < GOLDENS; i++) {
        struct df_image_reading reading;
        if (!strstr(format_goldens[i].file, ".tif"))
            continue;
        assert_works(df_image_reading_parse(format_goldens[i].range, format_goldens[i].bands, &reading) == 0);
        check_file(format_goldens[i].file, &reading, 1);
        check_file(format_goldens[i].file, &reading, 1000);
        tiffs++;
    }
    assert_true(tiffs > 40);
    check_file("pages.tif", NULL, 1);
    check_file("thumbnail.tif", NULL, 1);
}

static void tells_sizes(void **state)
{
    struct df_image image;
    int64_t width, height;

    assert_works(df_image_read(fixture("orientation6.tif"), NULL, &image) == 0);
    assert_true(df_image_windows_size_of(fixture("orientation6.tif"), &width, &height));
    assert_true(width == image.width && height == image.height);
    df_image_free(&image);
    assert_false(df_image_windows_size_of(fixture("lossy.webp"), &width, &height));
    assert_false(df_image_windows_size_of(fixture("is_not_there.tif"), &width, &height));
    assert_false(df_image_windows_size_of(DINOFT_FIXTURES, &width, &height));
}

static void refuse(const char *path, const char *reason)
{
    assert_null(df_image_windows_open(path, NULL, 1));
    assert_error_has(path);
    assert_error_has(reason);
}

static void says_why_not(void **state)
{
    size_t size;
    unsigned char *bytes = read_whole(fixture("rgb_tiles.tif"), &size);

    refuse(fixture("lossy.webp"), "it is no TIFF");
    refuse(scratch_path("none.tif"), "cannot open");
    refuse(fixture("float32.tif"), "--image_range MIN,MAX");
    refuse(fixture("bands.tif"), "it has 6 bands: --bands says which");
    refuse(scratch_write("half.tif", bytes, 6), "half.tif");
    free(bytes);
}

/* A file that is cut behind its header: what is there is read, the rest is an error. */
static void cut_files(void **state)
{
    struct df_image_windows *windows;
    uint8_t pixels[3];
    size_t size;
    unsigned char *bytes = read_whole(fixture("rgb_tiles.tif"), &size);
    int failed = 0;

    const char *path = scratch_write("cut.tif", bytes, size);
    windows = df_image_windows_open(path, NULL, 1);
    assert_works(windows != NULL);
    scratch_write("cut.tif", bytes, 16);
    for (int64_t y = 0; y < df_image_windows_height(windows); y++)
        failed += df_image_windows_read(windows, &(struct df_image_part){0, y, 1, 1}, pixels) != 0;
    assert_int_equal(failed, df_image_windows_height(windows) - 16); /* of the first tile all was read */
    assert_error_has("cut.tif");
    df_image_windows_close(windows);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(have_the_pixels_of_the_whole),
        cmocka_unit_test(tells_sizes),
        cmocka_unit_test(says_why_not),
        cmocka_unit_test(cut_files),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
