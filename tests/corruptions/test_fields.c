/* Random planes: fog's fractal and the elastic transforms' displacements. */
#include "corruptions/pictures.h"
#include "corruptions/pieces.h"
#include "src/corruptions/imagenet_c/plasma.h"
#include "src/corruptions/pixels/smoothing.h"

#include <math.h>
#include <stdbool.h>

static struct float_image fractal(int64_t size, double decay, uint64_t seed)
{
    struct float_image map;
    struct df_rng rng;

    df_rng_seed(&rng, seed, 0);
    assert_int_equal(plasma_fractal(&rng, size, decay, &map), 0);
    assert_true(map.width == size && map.height == size && map.channels == 1);
    return map;
}

static void fractals_fill_the_unit_range(void **state)
{
    for (int64_t size = 2; size <= 256; size *= 2) {
        struct float_image map = fractal(size, 1.7, 3);
        bool least = false, most = false;
        for (int64_t i = 0; i < size * size; i++) {
            assert_true(map.pixels[i] >= 0.0f && map.pixels[i] <= 1.0f);
            least |= map.pixels[i] == 0.0f;
            most |= map.pixels[i] == 1.0f;
        }
        assert_true(least && most);
        float_image_free(&map);
    }
}

/* The mean difference between columns x and x + 1, of which the last is followed by the first. */
static double step_at(const struct float_image *map, int64_t x)
{
    double sum = 0;

    for (int64_t y = 0; y < map->height; y++) {
        const float *row = map->pixels + y * map->width;
        sum += fabs((double)row[x] - (double)row[(x + 1) % map->width]);
    }
    return sum / (double)map->height;
}

/* Unrelated columns would differ by a quarter or so. */
static void fractals_are_smooth_and_without_seams(void **state)
{
    struct float_image rough = fractal(256, 1.4, 5), smooth = fractal(256, 3.0, 5);
    double rough_sum = 0, smooth_sum = 0;

    for (int64_t x = 0; x < 256; x++) {
        assert_true(step_at(&rough, x) < 0.02 && step_at(&smooth, x) < 0.01);
        rough_sum += step_at(&rough, x);
        smooth_sum += step_at(&smooth, x);
    }
    assert_true(rough_sum > 2 * smooth_sum);
    float_image_free(&rough);
    float_image_free(&smooth);
}

static void widths_differ_by_direction_as_in_scipy(void **state)
{
    const struct smoothing smoothing = {2.5, 1.5, 3.0};
    struct float_image plane = waves(24, 40), result = waves(24, 40);

    assert_int_equal(smooth_by_filter(&plane, &smoothing, BORDER_REFLECT, &result), 0);
    for (size_t i = 0; i < sizeof smoothed / sizeof *smoothed; i++)
        assert_true(fabsf(result.pixels[7 * i] - smoothed[i]) < 2e-6f);
    float_image_free(&plane);
    float_image_free(&result);
}

static void check_cosines(int width, int height, struct smoothing smoothing)
{
    struct float_image plane = waves(height, width), filtered = waves(height, width);
    struct float_image summed = waves(height, width);
    float most = 0.0f;

    for (int i = 0; i < height * width; i++) /* the waves alone are much the same everywhere */
        plane.pixels[i] += (float)(i % width) / (float)width;
    assert_int_equal(smooth_by_filter(&plane, &smoothing, BORDER_REFLECT, &filtered), 0);
    assert_int_equal(smooth_by_cosines(&plane, &smoothing, &summed), 0);
    for (int i = 0; i < height * width; i++)
        most = fmaxf(most, fabsf(filtered.pixels[i]));
    for (int i = 0; i < height * width; i++)
        assert_true(fabsf(filtered.pixels[i] - summed.pixels[i]) < 1e-3f * most);
    float_image_free(&plane);
    float_image_free(&filtered);
    float_image_free(&summed);
}

static void cosines_smooth_as_the_filter_does(void **state)
{
    check_cosines(64, 50, (struct smoothing){9.0, 6.0, 4.0});
    check_cosines(33, 32, (struct smoothing){170.8, 170.8, 4.0});
    check_cosines(61, 40, (struct smoothing){2.0, 2.0, 4.0});
    check_cosines(40, 61, (struct smoothing){5.0, 5.0, 3.0});
}

/* A Gaussian of width s leaves uniform draws (variance 1 / 3) a variance of 1 / (3 * 4 pi s^2). */
static void noise_has_the_filters_variance(void **state)
{
    const struct smoothing smoothing = {2.44, 2.44, 4.0};
    struct float_image plane;
    struct df_rng rng;
    double square = 0;

    df_rng_seed(&rng, 1, 2);
    assert_int_equal(float_image_alloc(&plane, 400, 300, 1), 0);
    assert_int_equal(smooth_noise(&rng, &smoothing, 10.0, &plane), 0);
    for (int i = 0; i < 400 * 300; i++)
        square += (double)plane.pixels[i] * (double)plane.pixels[i] / (400 * 300);
    const double expected = 100.0 / (3 * 4 * acos(-1.0) * 2.44 * 2.44);
    assert_true(fabs(square / expected - 1.0) < 0.1);
    float_image_free(&plane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fractals_fill_the_unit_range),
        cmocka_unit_test(fractals_are_smooth_and_without_seams),
        cmocka_unit_test(widths_differ_by_direction_as_in_scipy),
        cmocka_unit_test(cosines_smooth_as_the_filter_does),
        cmocka_unit_test(noise_has_the_filters_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
