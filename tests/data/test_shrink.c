/* Making images smaller, and image files in memory. */
#include "dinoft/image.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

static struct df_image image_of(int width, int height, const uint8_t *values)
{
    struct df_image image;
    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    for (int i = 0; i < width * height; i++)
        memset(image.pixels + 3 * i, values[i], 3);
    return image;
}

static void assert_shrinks(int width, int height, const uint8_t *values, int new_width, int new_height,
                           const uint8_t *expected)
{
    struct df_image image = image_of(width, height, values), small;
    assert_int_equal(df_shrink(&image, new_width, new_height, &small), 0);
    assert_int_equal(small.width, new_width);
    assert_int_equal(small.height, new_height);
    for (int i = 0; i < new_width * new_height; i++) {
        for (int c = 0; c < 3; c++) {
            if (small.pixels[3 * i + c] != expected[i])
                fail_msg("pixel %d is %d, expected %d", i, small.pixels[3 * i + c], expected[i]);
        }
    }
    df_image_free(&image);
    df_image_free(&small);
}

static void whole_pixels_are_averaged(void **state)
{
    assert_shrinks(4, 2, (const uint8_t[]){0, 10, 100, 102, 20, 30, 104, 106}, 2, 1,
                   (const uint8_t[]){15, 103});
}

/* Of three pixels that become two, the middle one belongs to both by half. */
static void shares_of_pixels_count(void **state)
{
    assert_shrinks(3, 1, (const uint8_t[]){30, 60, 240}, 2, 1, (const uint8_t[]){40, 180});
    assert_shrinks(1, 3, (const uint8_t[]){30, 60, 240}, 1, 2, (const uint8_t[]){40, 180});
    assert_shrinks(3, 3, (const uint8_t[]){9, 9, 9, 9, 9, 9, 9, 9, 90}, 1, 1, (const uint8_t[]){18});
}

static void the_same_size_is_a_copy(void **state)
{
    uint8_t values[7 * 5];
    for (int i = 0; i < 35; i++)
        values[i] = (uint8_t)(i * 71);
    assert_shrinks(7, 5, values, 7, 5, values);
}

static void one_color_stays(void **state)
{
    struct df_image image, small;
    assert_int_equal(df_image_alloc(&image, 501, 333, 3), 0);
    for (int i = 0; i < 501 * 333; i++)
        memcpy(image.pixels + 3 * i, "\xff\x01\x80", 3);
    assert_int_equal(df_shrink(&image, 97, 211, &small), 0);
    for (int i = 0; i < 97 * 211; i++)
        assert_memory_equal(small.pixels + 3 * i, "\xff\x01\x80", 3);
    df_image_free(&image);
    df_image_free(&small);
}

static void the_longer_side_is_within(void **state)
{
    static const int64_t cases[][4] = {{1000, 500, 256, 128}, {500, 1000, 128, 256}, {256, 40, 256, 40},
                                       {3, 2, 3, 2},          {2000, 1, 256, 1},     {1, 5000, 1, 256}};
    struct df_image large, small;
    int64_t width, height;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(df_image_alloc(&large, cases[i][0], cases[i][1], 3), 0);
        memset(large.pixels, 7, (size_t)(3 * large.width * large.height));
        df_size_within(&large, 256, &width, &height);
        assert_int_equal(width, cases[i][2]);
        assert_int_equal(height, cases[i][3]);
        assert_int_equal(df_shrink_within(&large, 256, &small), 0);
        assert_int_equal(small.width, width);
        assert_int_equal(small.height, height);
        df_image_free(&large);
        df_image_free(&small);
    }
}

static struct df_image pattern(void)
{
    struct df_image image;
    assert_int_equal(df_image_alloc(&image, 37, 23, 3), 0);
    for (int i = 0; i < 3 * 37 * 23; i++)
        image.pixels[i] = (uint8_t)(i * i / 50);
    return image;
}

static void png_in_memory_is_the_file(void **state)
{
    struct df_image image = pattern(), again;
    size_t size, file_size;
    void *png = df_png_encode(&image, &size);
    assert_non_null(png);
    assert_int_equal(df_png_write_rgb(scratch_path("a.png"), &image), 0);
    unsigned char *file = read_whole(scratch_path("a.png"), &file_size);
    assert_int_equal(size, file_size);
    assert_memory_equal(png, file, size);
    assert_int_equal(df_image_read(scratch_path("a.png"), NULL, &again), 0);
    assert_memory_equal(again.pixels, image.pixels, 3 * 37 * 23);
    free(png);
    free(file);
    df_image_free(&image);
    df_image_free(&again);
}

static void jpeg_in_memory_is_the_file(void **state)
{
    struct df_image image = pattern();
    size_t size, file_size;
    void *jpeg = df_jpeg_encode(&image, 90, &size);
    assert_non_null(jpeg);
    assert_int_equal(df_jpeg_write(scratch_path("a.jpg"), &image, 90), 0);
    unsigned char *file = read_whole(scratch_path("a.jpg"), &file_size);
    assert_int_equal(size, file_size);
    assert_memory_equal(jpeg, file, size);
    free(jpeg);
    free(file);
    df_image_free(&image);
}

static void an_impossible_image_is_no_file(void **state)
{
    struct df_image image = {.width = 0, .height = 0, .channels = 3};
    size_t size;
    assert_null(df_png_encode(&image, &size));
    assert_error_has("cannot encode an image");
    assert_null(df_jpeg_encode(&image, 90, &size));
    assert_error_has("mpty"); /* libjpeg's own words */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_pixels_are_averaged),  cmocka_unit_test(shares_of_pixels_count),
        cmocka_unit_test(the_same_size_is_a_copy),    cmocka_unit_test(one_color_stays),
        cmocka_unit_test(the_longer_side_is_within),  cmocka_unit_test(png_in_memory_is_the_file),
        cmocka_unit_test(jpeg_in_memory_is_the_file), cmocka_unit_test(an_impossible_image_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
