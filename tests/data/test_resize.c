/* Resizing against OpenCV's results. */
#include "data/goldens.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

/* The formula of make_goldens.py. */
static struct df_image source(int height, int width, int channels)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, width, height, channels), 0);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                image.pixels[(y * width + x) * channels + c] =
                    (uint8_t)(x * x * 13 + y * x * 29 + y * y * 7 + c * 83);
    return image;
}

static void linear_is_opencvs(void **state)
{
    for (size_t i = 0; i < sizeof resize_goldens / sizeof resize_goldens[0]; i++) {
        int height = resize_goldens[i].to_height, width = resize_goldens[i].to_width;
        struct df_image image = source(resize_goldens[i].height, resize_goldens[i].width, 3);
        size_t size = (size_t)(height * width * 3);
        uint8_t *out = malloc(size);
        assert_int_equal(df_resize_linear(&image, out, width, height), 0);
        if (hash_bytes(out, size) != resize_goldens[i].linear)
            fail_msg("size pair %zu differs from OpenCV's", i);
        free(out);
        df_image_free(&image);
    }
}

static void linear_in_full(void **state)
{
    struct df_image image = source(3, 5, 3);
    uint8_t out[sizeof resize_linear_values];

    assert_int_equal(df_resize_linear(&image, out, 7, 4), 0);
    assert_memory_equal(out, resize_linear_values, sizeof out);
    df_image_free(&image);
}

static void nearest_is_opencvs(void **state)
{
    for (size_t i = 0; i < sizeof resize_goldens / sizeof resize_goldens[0]; i++) {
        int height = resize_goldens[i].to_height, width = resize_goldens[i].to_width;
        struct df_image image = source(resize_goldens[i].height, resize_goldens[i].width, 1);
        size_t size = (size_t)(height * width);
        uint8_t *out = malloc(size);
        df_resize_nearest(&image, out, width, height);
        if (hash_bytes(out, size) != resize_goldens[i].nearest)
            fail_msg("size pair %zu differs from OpenCV's", i);
        free(out);
        df_image_free(&image);
    }
}

static void same_size_is_a_copy(void **state)
{
    struct df_image image = source(13, 29, 3);
    uint8_t out[13 * 29 * 3];

    assert_int_equal(df_resize_linear(&image, out, 29, 13), 0);
    assert_memory_equal(out, image.pixels, sizeof out);
    df_image_free(&image);
}

static void take_row(void *result, int64_t y, const uint8_t *row)
{
    memcpy((uint8_t *)result + y * 17 * 3, row, 17 * 3);
}

static void a_part_is_an_image_of_its_own(void **state)
{
    struct df_image image = source(23, 31, 3), part;
    uint8_t expected[29 * 17 * 3], out[29 * 17 * 3];

    assert_int_equal(df_image_alloc(&part, 12, 20, 3), 0);
    for (int y = 0; y < 20; y++)
        memcpy(part.pixels + y * 12 * 3, image.pixels + ((y + 2) * 31 + 19) * 3, 12 * 3);
    assert_int_equal(df_resize_linear(&part, expected, 17, 29), 0);
    assert_int_equal(
        df_resize_linear_part(&image, &(struct df_image_part){19, 2, 12, 20}, 17, 29, take_row, out), 0);
    assert_memory_equal(out, expected, sizeof out);
    df_image_free(&image);
    df_image_free(&part);
}

/* Up and down, at the edges and inside. */
static void a_window_is_cut_from_the_whole(void **state)
{
    static const struct {
        int64_t width, height;
        struct df_image_part window;
    } cases[] = {{67, 91, {0, 0, 67, 91}}, {67, 91, {13, 7, 40, 60}},  {67, 91, {66, 90, 1, 1}},
                 {9, 70, {2, 31, 5, 39}},  {1100, 5, {3, 1, 1050, 3}}, {31, 23, {30, 0, 1, 23}}};
    struct df_image image = source(23, 31, 3), mask = source(23, 31, 1);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t width = cases[i].width, height = cases[i].height, row = cases[i].window.width + 2;
        const struct df_image_part *window = &cases[i].window;
        const size_t pixels = (size_t)(width * height), kept = (size_t)(row * window->height);
        uint8_t *whole = malloc(4 * pixels), *part = calloc(4, kept);
        uint8_t *whole_mask = whole + 3 * pixels, *part_mask = part + 3 * kept;

        assert_int_equal(df_resize_linear(&image, whole, width, height), 0);
        assert_int_equal(df_resize_linear_window(&image, width, height, window, part, row), 0);
        df_resize_nearest(&mask, whole_mask, width, height);
        df_resize_nearest_window(&mask, width, height, window, part_mask, row);
        for (int64_t y = 0; y < window->height; y++) {
            const int64_t from = (window->y + y) * width + window->x;
            assert_memory_equal(part + 3 * y * row, whole + 3 * from, 3 * (size_t)window->width);
            assert_memory_equal(part_mask + y * row, whole_mask + from, (size_t)window->width);
            assert_int_equal(part[3 * (y * row + window->width)], 0);
            assert_int_equal(part_mask[y * row + window->width], 0);
        }
        free(whole);
        free(part);
    }
    df_image_free(&image);
    df_image_free(&mask);
}

static void refuses_impossible_sizes(void **state)
{
    struct df_image image = source(2, 2, 3);
    uint8_t out[1];

    assert_int_equal(df_resize_linear(&image, out, 0, 5), -1);
    assert_int_equal(df_resize_linear(&image, out, 1 << 20, 1 << 20), -1);
    assert_error_has("1048576");
    df_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_is_opencvs),
        cmocka_unit_test(linear_in_full),
        cmocka_unit_test(nearest_is_opencvs),
        cmocka_unit_test(same_size_is_a_copy),
        cmocka_unit_test(refuses_impossible_sizes),
        cmocka_unit_test(a_part_is_an_image_of_its_own),
        cmocka_unit_test(a_window_is_cut_from_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
