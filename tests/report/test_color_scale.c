/* The colour scale: even steps of lightness, ends, and text that can be read on it. */
#include "support/cmocka_all.h"

#include "src/report/plot/color_scale.h"

#include <math.h>

#define STEPS 20

static double linear(uint8_t byte)
{
    const double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static double luminance(const uint8_t rgb[3])
{
    return 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
}

/* CIE L*, another measure of lightness than the one that the scale is made from. */
static double lightness(double value)
{
    uint8_t rgb[3];
    df_color_scale(value, rgb);
    return 116.0 * cbrt(luminance(rgb)) - 16.0;
}

static void steps_look_equal(void **state)
{
    const double mean = (lightness(0.0) - lightness(1.0)) / STEPS;
    assert_true(lightness(0.0) > 97.0);
    assert_true(lightness(1.0) < 30.0);
    for (int i = 0; i < STEPS; i++) {
        const double step = lightness((double)i / STEPS) - lightness((double)(i + 1) / STEPS);
        if (step < 0.6 * mean || step > 1.4 * mean)
            fail_msg("step %d is %.2f, the mean is %.2f", i, step, mean);
    }
}

static void it_ends_where_values_do(void **state)
{
    uint8_t inside[3], outside[3];
    df_color_scale(0.0, inside);
    df_color_scale(-3.0, outside);
    assert_memory_equal(inside, outside, 3);
    df_color_scale(1.0, inside);
    df_color_scale(INFINITY, outside);
    assert_memory_equal(inside, outside, 3);
}

static void no_value_is_grey(void **state)
{
    uint8_t rgb[3];
    df_color_scale(NAN, rgb);
    assert_int_equal(rgb[0], rgb[1]);
    assert_int_equal(rgb[1], rgb[2]);
    for (int i = 0; i <= STEPS; i++) { /* and no value's colour */
        uint8_t other[3];
        df_color_scale((double)i / STEPS, other);
        assert_true(other[0] != rgb[0] || other[1] != rgb[1] || other[2] != rgb[2]);
    }
}

/* WCAG asks for 4.5 of text; whichever of the two is chosen reaches it on every colour there is. */
static void text_has_contrast(void **state)
{
    for (int i = 0; i <= 100; i++) {
        uint8_t rgb[3];
        df_color_scale(i / 100.0, rgb);
        const double l = luminance(rgb);
        const double contrast = df_color_wants_white(rgb) ? 1.05 / (l + 0.05) : (l + 0.05) / 0.05;
        if (contrast < 4.5)
            fail_msg("contrast %.2f at %d %%", contrast, i);
    }
    assert_true(df_color_wants_white((const uint8_t[]){0, 0, 0}));
    assert_false(df_color_wants_white((const uint8_t[]){255, 255, 255}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_look_equal),
        cmocka_unit_test(it_ends_where_values_do),
        cmocka_unit_test(no_value_is_grey),
        cmocka_unit_test(text_has_contrast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
