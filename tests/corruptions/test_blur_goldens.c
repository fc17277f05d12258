/* Whole blurs, fed with the numbers that dinoft draws, against the packages' bytes. */
#include "blur_goldens.h"
#include "dinoft/corruption.h"
#include "src/corruptions/pixels/line_blur.h"
#include "support/cmocka_all.h"

#include <string.h>

#define HASH_START 0xcbf29ce484222325u

static uint64_t hash_on(uint64_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint32_t folded(uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32);
}

/* The formula of make_blur_goldens.py. */
static struct df_image picture(int height, int width)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                image.pixels[(y * width + x) * 3 + c] =
                    (uint8_t)(x * x * 13 + y * x * 29 + y * y * 7 + c * 83);
    return image;
}

static void blurs_are_the_packages(void **state)
{
    for (size_t i = 0; i < sizeof blur_goldens / sizeof *blur_goldens; i++) {
        const int height = blur_goldens[i].height, width = blur_goldens[i].width;
        const struct df_corruption *corruption = df_corruption_named(blur_goldens[i].corruption);
        assert_non_null(corruption);
        for (int severity = 1; severity <= DF_SEVERITIES; severity++) {
            uint64_t hash = HASH_START;
            for (uint64_t seed = 0; seed < GOLDEN_SEEDS; seed++) {
                struct df_image image = picture(height, width);
                assert_int_equal(df_corrupt(corruption, severity, seed, GOLDEN_NAME, NULL, &image, NULL), 0);
                hash = hash_on(hash, image.pixels, (size_t)(height * width * 3));
                df_image_free(&image);
            }
            if (folded(hash) != blur_goldens[i].hash[severity - 1])
                fail_msg("%s, severity %d, %d x %d: other bytes", corruption->name, severity, width, height);
        }
    }
}

static void flat_areas_change_as_the_packages(void **state)
{
    const struct df_corruption *corruption = df_corruption_named("defocus_blur");

    for (int severity = 1; severity <= DF_SEVERITIES; severity++) {
        struct df_image image = picture(32, 32);
        memset(image.pixels, 200, 32 * 32 * 3);
        assert_int_equal(df_corrupt(corruption, severity, 0, "flat", NULL, &image, NULL), 0);
        for (int i = 0; i < 32 * 32 * 3; i++)
            assert_int_equal(image.pixels[i], flat_golden[severity - 1]);
        df_image_free(&image);
    }
}

static void flat_areas_stay_where_sums_are_exact(void **state)
{
    static const char *const names[] = {"GaussianBlur", "GlassBlur", "MotionBlur", "ZoomBlur"};

    for (int i = 0; i < 4 * 256; i++) {
        const int level = i / 4;
        struct df_image image = picture(32, 32);
        memset(image.pixels, level, 32 * 32 * 3);
        assert_int_equal(df_corrupt(df_corruption_named(names[i % 4]), 1 + level % DF_SEVERITIES,
                                    (uint64_t)level, names[i % 4], NULL, &image, NULL),
                         0);
        for (int k = 0; k < 32 * 32 * 3; k++)
            assert_int_equal(image.pixels[k], level);
        df_image_free(&image);
    }
}

/* Every pair of points, those that are the same included. */
static void lines_are_opencvs(void **state)
{
    enum { SIZE = LINES_SIZE, SQUARE = SIZE * SIZE };
    static uint8_t squares[SQUARE * SQUARE * SQUARE];

    for (int i = 0; i < SQUARE * SQUARE; i++) {
        struct point points[LINE_MOST_SIZE];
        const struct point from = {i / SQUARE / SIZE, i / SQUARE % SIZE}, to = {i % SQUARE / SIZE, i % SIZE};
        const int count = line_points(points, from, to);
        for (int k = 0; k < count; k++)
            squares[i * SQUARE + points[k].y * SIZE + points[k].x] = 1;
    }
    assert_int_equal(folded(hash_on(HASH_START, squares, sizeof squares)), lines_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blurs_are_the_packages),
        cmocka_unit_test(flat_areas_change_as_the_packages),
        cmocka_unit_test(flat_areas_stay_where_sums_are_exact),
        cmocka_unit_test(lines_are_opencvs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
