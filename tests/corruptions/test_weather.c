/* What holds for the weather and the elastic transforms besides their statistics. */
#include "corruptions/pictures.h"
#include "dinoft/corruption.h"
#include "dinoft/error.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <string.h>

static const struct df_corruption *named(const char *name)
{
    const struct df_corruption *corruption = df_corruption_named(name);

    assert_non_null(corruption);
    return corruption;
}

static struct df_image constant(int width, int height, int shade)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    memset(image.pixels, shade, (size_t)(width * height) * 3);
    return image;
}

/* Each photograph has the original's size and one shade: 0, 50, 100, 150, 200. */
static struct df_frost *made_up_frost(void)
{
    static const char *const names[] = {"frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg"};
    static const int sizes[][2] = {{900, 600}, {560, 315}, {560, 315}, {527, 350}, {660, 495}};

    for (int i = 0; i < DF_CORRUPTION_FROSTS; i++) {
        struct df_image photograph = constant(sizes[i][0], sizes[i][1], 50 * i);
        const char *path = scratch_path(names[i]);
        assert_int_equal(i < 3 ? df_png_write_rgb(path, &photograph) : df_jpeg_write(path, &photograph, 100),
                         0);
        df_image_free(&photograph);
    }
    struct df_frost *frost = df_frost_open(scratch_folder(), "");
    assert_non_null(frost);
    return frost;
}

/* 0.65 * 90 + 0.7 * shade, truncated, whatever the sizes. Five draws of 60 are all but surely all there. */
static void frost_draws_from_five_photographs(void **state)
{
    static const int expected[] = {58, 93, 128, 163, 198};
    struct df_frost *frost = made_up_frost();
    int seen[5] = {0};

    for (int draw = 0; draw < 60; draw++) {
        struct df_image image = constant(40 + 55 * (draw % 13), 40 + 45 * (draw % 9), 90);
        assert_int_equal(df_corrupt(named("frost"), 4, (uint64_t)draw, "a", frost, &image, NULL), 0);
        for (int64_t i = 1; i < image.width * image.height * 3; i++)
            assert_int_equal(image.pixels[i], image.pixels[0]);
        for (int i = 0; i < 5; i++)
            seen[i] += image.pixels[0] == expected[i];
        df_image_free(&image);
    }
    assert_int_equal(seen[0] + seen[1] + seen[2] + seen[3] + seen[4], 60);
    for (int i = 0; i < 5; i++)
        assert_true(seen[i] > 0);
    df_frost_free(frost);
}

static void frost_without_photographs_says_so(void **state)
{
    struct df_image image = constant(40, 40, 90);

    assert_null(df_frost_open(scratch_path("nowhere"), ""));
    assert_error_has("frost1.png");
    assert_error_has("scripts/get_frost.py");
    assert_int_equal(df_corrupt(named("frost"), 1, 0, "a", NULL, &image, NULL), -1);
    assert_error_has("scripts/get_frost.py");
    df_image_free(&image);
    df_frost_free(NULL);
}

static void photographs_of_other_sizes_are_refused(void **state)
{
    struct df_image other = constant(350, 527, 150);

    df_frost_free(made_up_frost());
    assert_int_equal(df_jpeg_write(scratch_path("frost4.jpg"), &other, 100), 0);
    assert_null(df_frost_open(scratch_folder(), ""));
    assert_error_has("scripts/get_frost.py");
    assert_error_has("frost4.jpg has 350 x 527 pixels, the original has 527 x 350");
    df_image_free(&other);
}

/* A small image without a drop stays as it is; drops only lighten a black one. */
static void spatter_without_drops_changes_nothing(void **state)
{
    int dry = 0, wet = 0;

    for (int draw = 0; draw < 60; draw++) {
        struct df_image image = constant(32, 32, 7), before = constant(32, 32, 7);
        assert_int_equal(df_corrupt(named("spatter"), 1, (uint64_t)draw, "a", NULL, &image, NULL), 0);
        const bool same = memcmp(image.pixels, before.pixels, 32 * 32 * 3) == 0;
        dry += same;
        wet += !same;
        for (int i = 0; i < 32 * 32 * 3; i++)
            assert_true(image.pixels[i] >= 6); /* 7 / 255 * 255 in float32 may be cut off to 6 */
        df_image_free(&image);
        df_image_free(&before);
    }
    assert_true(dry > 0 && wet > 0);
}

/* Discs of class 1 on class 0. */
static struct df_image discs(void)
{
    struct df_image mask;

    assert_int_equal(df_image_alloc(&mask, 160, 120, 1), 0);
    for (int y = 0; y < 120; y++) {
        for (int x = 0; x < 160; x++) {
            const int dx = x % 40 - 20, dy = y % 40 - 20;
            mask.pixels[y * 160 + x] = dx * dx + dy * dy < 150;
        }
    }
    return mask;
}

/* The share of pixels that are bright where the class is 1 and dark where it is 0. */
static double agreement(const struct df_image *image, const struct df_image *mask)
{
    int same = 0;

    for (int i = 0; i < 160 * 120; i++)
        same += (image->pixels[3 * i] >= 128) == mask->pixels[i];
    return same / (160.0 * 120.0);
}

static void labels_move_with_the_image(void **state)
{
    for (int severity = 1; severity <= DF_SEVERITIES; severity++) {
        struct df_image still = discs(), mask = discs(), image = constant(160, 120, 0);
        for (int i = 0; i < 160 * 120 * 3; i++)
            image.pixels[i] = mask.pixels[i / 3] ? 255 : 0;
        assert_int_equal(df_corrupt(named("ElasticTransform"), severity, 5, "a", NULL, &image, &mask), 0);
        assert_true(agreement(&image, &mask) > 0.98);
        assert_true(agreement(&image, &still) < 0.95);
        df_image_free(&still);
        df_image_free(&mask);
        df_image_free(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frost_draws_from_five_photographs),
        cmocka_unit_test(frost_without_photographs_says_so),
        cmocka_unit_test(photographs_of_other_sizes_are_refused),
        cmocka_unit_test(spatter_without_drops_changes_nothing),
        cmocka_unit_test(labels_move_with_the_image),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
