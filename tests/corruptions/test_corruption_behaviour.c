/* What holds for every corruption: draws that repeat, sizes and pictures at the edge of what is allowed. */
#include "corruptions/corruption_support.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <string.h>

#define DRAWS 12 /* enough that a draw from few values, such as a kernel's size, gives two of them */

static struct subject subject;

/* Slopes with noise on them: no corruption leaves it alone. */
static struct df_image picture(int width, int height)
{
    struct df_image image;
    struct df_rng rng;

    df_rng_seed(&rng, 1, 1);
    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            uint8_t *pixel = image.pixels + (y * width + x) * 3;
            pixel[0] = (uint8_t)(200 * x / width + (int)df_rng_below(&rng, 56));
            pixel[1] = (uint8_t)(200 * y / height + (int)df_rng_below(&rng, 56));
            pixel[2] = (uint8_t)(100 + (int)df_rng_below(&rng, 56));
        }
    }
    return image;
}

static struct df_image constant(int width, int height, int shade)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    memset(image.pixels, shade, image_bytes(&image));
    return image;
}

/* Classes in vertical stripes, with 255 among them. */
static struct df_image stripes(const struct df_image *image)
{
    struct df_image mask;

    assert_int_equal(df_image_alloc(&mask, image->width, image->height, 1), 0);
    for (int64_t i = 0; i < image->width * image->height; i++)
        mask.pixels[i] = (uint8_t)(i % image->width % 8 < 4 ? 255 : 3);
    return mask;
}

static bool is_same(int severity, uint64_t seed, const char *name, const struct df_image *image,
                    const struct df_image *other)
{
    struct df_image result = corrupted(&subject, severity, seed, name, image, NULL);
    const bool same = memcmp(result.pixels, other->pixels, image_bytes(other)) == 0;

    df_image_free(&result);
    return same;
}

static void the_same_draw_gives_the_same_bytes(void **state)
{
    struct df_image image = picture(61, 47);

    for (int severity = 1; severity <= DF_SEVERITIES; severity++) {
        struct df_image result = corrupted(&subject, severity, 7, "a", &image, NULL);
        assert_true(is_same(severity, 7, "a", &image, &result));
        df_image_free(&result);
    }
    df_image_free(&image);
}

static void seeds_and_names_give_other_draws(void **state)
{
    struct df_image image = picture(96, 64);
    struct df_image first = corrupted(&subject, DF_SEVERITIES, 0, "0", &image, NULL);
    int other_seeds = 0, other_names = 0;

    for (int i = 1; i < DRAWS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        other_seeds += !is_same(DF_SEVERITIES, (uint64_t)i, "0", &image, &first);
        other_names += !is_same(DF_SEVERITIES, 0, name, &image, &first);
    }
    assert_true((other_seeds > 0) == subject.corruption->random);
    assert_true((other_names > 0) == subject.corruption->random);
    df_image_free(&first);
    df_image_free(&image);
}

static void severities_differ(void **state)
{
    struct df_image image = picture(96, 64);
    struct df_image least = corrupted(&subject, 1, 0, "a", &image, NULL);

    assert_false(is_same(DF_SEVERITIES, 0, "a", &image, &least));
    assert_int_not_equal(memcmp(least.pixels, image.pixels, image_bytes(&image)), 0);
    df_image_free(&least);
    df_image_free(&image);
}

/* Labels stay where they are, but for the one transform that moves them, and there no class is made up. */
static void masks_are_left_alone(void **state)
{
    const bool moves = strcmp(subject.corruption->name, "ElasticTransform") == 0;
    struct df_image image = picture(96, 64), mask = stripes(&image), moved = copy_image(&mask);
    struct df_image alone = corrupted(&subject, DF_SEVERITIES, 3, "a", &image, NULL);
    struct df_image together = corrupted(&subject, DF_SEVERITIES, 3, "a", &image, &moved);

    assert_memory_equal(alone.pixels, together.pixels, image_bytes(&image));
    assert_true((memcmp(mask.pixels, moved.pixels, image_bytes(&mask)) != 0) == moves);
    for (size_t i = 0; i < image_bytes(&mask); i++)
        assert_true(moved.pixels[i] == 255 || moved.pixels[i] == 3);
    df_image_free(&image);
    df_image_free(&mask);
    df_image_free(&moved);
    df_image_free(&alone);
    df_image_free(&together);
}

static void check_every_severity(struct df_image image)
{
    for (int severity = 1; severity <= DF_SEVERITIES; severity++) {
        struct df_image result = corrupted(&subject, severity, 0, "a", &image, NULL);
        df_image_free(&result);
    }
    df_image_free(&image);
}

/* The sanitizers look on: a value that is not finite has no conversion to a byte. */
static void every_size_and_shade_passes(void **state)
{
    static const int sizes[][2] = {{32, 32}, {33, 41}, {41, 33}, {500, 32}, {32, 500}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_every_severity(picture(sizes[i][0], sizes[i][1]));
        check_every_severity(constant(sizes[i][0], sizes[i][1], 0));
        check_every_severity(constant(sizes[i][0], sizes[i][1], 255));
        check_every_severity(constant(sizes[i][0], sizes[i][1], 128));
    }
}

static void refuses(int width, int height, const char *found)
{
    struct df_image image = picture(width, height), before = copy_image(&image);

    assert_int_equal(df_corrupt(subject.corruption, 1, 0, "small", subject.frost, &image, NULL), -1);
    assert_string_equal(df_error_text(), found);
    assert_memory_equal(image.pixels, before.pixels, image_bytes(&image));
    df_image_free(&image);
    df_image_free(&before);
}

static void too_small_images_are_refused(void **state)
{
    refuses(31, 40, "31 x 40 pixels, corruptions need 32 x 32 or more");
    refuses(40, 31, "40 x 31 pixels, corruptions need 32 x 32 or more");
    refuses(1, 1, "1 x 1 pixels, corruptions need 32 x 32 or more");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_draw_gives_the_same_bytes),
        cmocka_unit_test(seeds_and_names_give_other_draws),
        cmocka_unit_test(severities_differ),
        cmocka_unit_test(masks_are_left_alone),
        cmocka_unit_test(every_size_and_shade_passes),
        cmocka_unit_test(too_small_images_are_refused),
    };
    int status = subject_open(&subject, argc, argv);

    if (status != 0)
        return status;
    status = cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    subject_close(&subject);
    return status;
}
