/* Which images are kept, and what their pictures show. */
#include "support/cmocka_all.h"
#include "support/scratch.h"

#include "dinoft/best_worst.h"
#include "dinoft/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct df_overlay_style style = {
    .palette = {.rgb = {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}}, .shows_image = {[255] = true}}, .opacity = 0.5};

static struct df_image filled(int width, int height, int channels, int value)
{
    struct df_image image;
    assert_int_equal(df_image_alloc(&image, width, height, channels), 0);
    memset(image.pixels, value, (size_t)(width * height * channels));
    return image;
}

/* A grey image, its label all of class 1 but for the first pixel, the prediction all of class 2. */
static void show(struct df_best_worst *best_worst, const char *name, double miou, int width, int height)
{
    struct df_image image = filled(width, height, 3, 100), label = filled(width, height, 1, 1);
    struct df_image prediction = filled(width, height, 1, 2);
    label.pixels[0] = 255;
    assert_int_equal(df_best_worst_add(best_worst, name, miou, &image, &label, &prediction), 0);
    df_image_free(&image);
    df_image_free(&label);
    df_image_free(&prediction);
}

static void assert_kept(const struct df_best_worst *best_worst, const int *numbers)
{
    assert_int_equal(best_worst->count, 2 * DF_BEST_WORST_KEPT);
    for (int i = 0; i < best_worst->count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%03d", numbers[i]);
        assert_string_equal(best_worst->items[i].name, name);
    }
}

/* A hundred images in several orders; pairs of them have the same mIoU. */
static void the_best_and_worst_are_kept_in_any_order(void **state)
{
    enum { COUNT = 100 };
    int expected[2 * DF_BEST_WORST_KEPT];
    struct df_rng rng;
    for (int i = 0; i < DF_BEST_WORST_KEPT; i++) {
        expected[i] = i;
        expected[DF_BEST_WORST_KEPT + i] = COUNT - DF_BEST_WORST_KEPT + i;
    }
    df_rng_seed(&rng, 5, 0);
    for (int turn = 0; turn < 6; turn++) {
        struct df_best_worst best_worst;
        int64_t order[COUNT];
        df_rng_permutation(&rng, order, COUNT);
        df_best_worst_init(&best_worst, &style);
        for (int i = 0; i < COUNT; i++) {
            const int number = turn == 0 ? i : turn == 1 ? COUNT - 1 - i : (int)order[i];
            char name[16];
            snprintf(name, sizeof name, "%03d", number);
            show(&best_worst, name, number / 2 / 100.0, 2, 2);
        }
        assert_kept(&best_worst, expected);
        df_best_worst_free(&best_worst);
    }
}

static void few_are_all_kept_and_nan_never(void **state)
{
    struct df_best_worst best_worst;
    df_best_worst_init(&best_worst, &style);
    show(&best_worst, "b", 0.5, 2, 2);
    show(&best_worst, "nothing", NAN, 2, 2);
    show(&best_worst, "a", 0.5, 2, 2);
    show(&best_worst, "c", 0.1, 2, 2);
    assert_int_equal(best_worst.count, 3);
    assert_string_equal(best_worst.items[0].name, "c");
    assert_string_equal(best_worst.items[1].name, "a");
    assert_string_equal(best_worst.items[2].name, "b");
    df_best_worst_free(&best_worst);
    assert_int_equal(best_worst.count, 0);
}

static void wants_says_what_add_does(void **state)
{
    struct df_best_worst best_worst;
    df_best_worst_init(&best_worst, &style);
    assert_false(df_best_worst_wants(&best_worst, "a", NAN));
    for (int i = 0; i < 2 * DF_BEST_WORST_KEPT; i++) {
        char name[16];
        snprintf(name, sizeof name, "%03d", i);
        assert_true(df_best_worst_wants(&best_worst, name, i < DF_BEST_WORST_KEPT ? 0.1 : 0.9));
        show(&best_worst, name, i < DF_BEST_WORST_KEPT ? 0.1 : 0.9, 1, 1);
    }
    assert_false(df_best_worst_wants(&best_worst, "z", 0.5));
    assert_true(df_best_worst_wants(&best_worst, "z", 0.95));
    assert_true(df_best_worst_wants(&best_worst, "z", 0.05));
    assert_true(df_best_worst_wants(&best_worst, "000a", 0.1)); /* before most of its equals */
    assert_false(df_best_worst_wants(&best_worst, "z", 0.1));   /* after all of them */
    df_best_worst_free(&best_worst);
}

/* The picture of the only image that was shown, decoded. */
static struct df_image picture_of(int width, int height)
{
    struct df_best_worst best_worst;
    struct df_image picture;
    df_best_worst_init(&best_worst, &style);
    show(&best_worst, "a", 0.5, width, height);
    assert_int_equal(best_worst.count, 1);
    const struct df_ranked_image *item = &best_worst.items[0];
    for (int number = 0; number < 256; number++)
        assert_int_equal(item->shown[number], number == 1 || number == 2 || number == 255);
    scratch_write("a.jpg", item->jpeg, item->jpeg_size);
    assert_int_equal(df_image_read(scratch_path("a.jpg"), NULL, &picture), 0);
    assert_int_equal(picture.width, item->width);
    assert_int_equal(picture.height, item->height);
    df_best_worst_free(&best_worst);
    return picture;
}

static void assert_pixel(const struct df_image *picture, int64_t x, int red, int green, int blue)
{
    const uint8_t *pixel = picture->pixels + 3 * (picture->height / 2 * picture->width + x);
    if (abs(pixel[0] - red) > 6 || abs(pixel[1] - green) > 6 || abs(pixel[2] - blue) > 6)
        fail_msg("at %d the colour is %d %d %d", (int)x, pixel[0], pixel[1], pixel[2]);
}

static void three_panels_side_by_side(void **state)
{
    struct df_image picture = picture_of(64, 48);
    assert_int_equal(picture.width, 3 * 64 + 2 * 6);
    assert_int_equal(picture.height, 48);
    /* The regions' numbers are in the middle. */
    assert_pixel(&picture, 12, 100, 100, 100);
    assert_pixel(&picture, 64 + 6 + 12, 178, 50, 50);
    assert_pixel(&picture, 2 * (64 + 6) + 12, 50, 178, 50);
    df_image_free(&picture);
}

static void large_images_are_made_smaller(void **state)
{
    struct df_image picture = picture_of(1000, 800);
    assert_int_equal(picture.height, 256);
    assert_int_equal(picture.width, 3 * 320 + 12);
    df_image_free(&picture);
    picture = picture_of(2000, 10);
    assert_int_equal(picture.width, 3 * 320 + 12);
    assert_int_equal(picture.height, 2);
    df_image_free(&picture);
    picture = picture_of(1, 5000);
    assert_int_equal(picture.width, 3 * 1 + 12);
    assert_int_equal(picture.height, 320);
    df_image_free(&picture);
}

static void the_smallest_image_has_a_picture(void **state)
{
    struct df_image picture = picture_of(2, 1);
    assert_int_equal(picture.width, 18);
    assert_int_equal(picture.height, 1);
    df_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_and_worst_are_kept_in_any_order),
        cmocka_unit_test(few_are_all_kept_and_nan_never),
        cmocka_unit_test(wants_says_what_add_does),
        cmocka_unit_test(three_panels_side_by_side),
        cmocka_unit_test(large_images_are_made_smaller),
        cmocka_unit_test(the_smallest_image_has_a_picture),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
