/* Colour spaces there and back. (That HSV is scikit-image's, to the bit, the pictures of brightness and
 * saturate say.) */
#include "support/cmocka_all.h"

#include "src/corruptions/pixels/colour.h"

#include <math.h>
#include <stdlib.h>

#define STEP 5 /* 52 levels a channel, 0 and 255 among them */

static int largest(const uint8_t rgb[3])
{
    const int most = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
    return most > rgb[2] ? most : rgb[2];
}

/* Calls check for the colours of a grid. */
static void for_every_colour(void (*check)(const uint8_t rgb[3]))
{
    for (int r = 0; r <= 255; r += STEP)
        for (int g = 0; g <= 255; g += STEP)
            for (int b = 0; b <= 255; b += STEP)
                check((const uint8_t[3]){(uint8_t)r, (uint8_t)g, (uint8_t)b});
}

static void assert_near(const uint8_t found[3], const uint8_t expected[3])
{
    for (int c = 0; c < 3; c++) {
        if (abs(found[c] - expected[c]) > 1) /* a level is lost where truncation follows rounding */
            fail_msg("%d %d %d came back as %d %d %d", expected[0], expected[1], expected[2], found[0],
                     found[1], found[2]);
    }
}

static void check_hsv(const uint8_t rgb[3])
{
    double hsv[3];
    uint8_t back[3];

    rgb_to_hsv(rgb, hsv, 1);
    for (int i = 0; i < 3; i++)
        assert_true(hsv[i] >= 0 && hsv[i] <= 1);
    assert_true(hsv[2] == largest(rgb) / 255.0);
    hsv_to_rgb(hsv, back, 1);
    assert_near(back, rgb);
}

static void check_hls(const uint8_t rgb[3])
{
    float hls[3];
    uint8_t back[3];

    rgb_to_hls(rgb, hls, 1);
    assert_true(hls[0] >= 0 && hls[0] <= 360 && hls[1] >= 0 && hls[1] <= 1 && hls[2] >= 0 &&
                hls[2] <= 1.00001f);
    hls_to_rgb(hls, back, 1);
    assert_near(back, rgb);
    for (int turn = -1; turn <= 1; turn += 2) {
        hls[0] += (float)turn * 360;
        hls_to_rgb(hls, back, 1);
        assert_near(back, rgb);
    }
}

/* More light leaves a full channel full: its level is truncated, and rounding below 1 would lose one. */
static void check_full_stays_full(const uint8_t rgb[3])
{
    float hls[3];
    uint8_t back[3];

    if (largest(rgb) < 255)
        return;
    rgb_to_hls(rgb, hls, 1);
    for (int i = 0; i < 64; i++) {
        float lighter[3] = {hls[0], hls[1] + (float)i / 64.0f * (1.0f - hls[1]), hls[2]};
        hls_to_rgb(lighter, back, 1);
        assert_int_equal(largest(back), 255);
    }
}

static void hsv_there_and_back(void **state)
{
    for_every_colour(check_hsv);
}

static void hls_there_and_back(void **state)
{
    for_every_colour(check_hls);
}

static void full_channels_stay_full(void **state)
{
    for_every_colour(check_full_stays_full);
}

static void known_colours(void **state)
{
    static const uint8_t rgb[4][3] = {{255, 0, 0}, {0, 255, 0}, {255, 0, 255}, {102, 153, 204}};
    static const double expected_hsv[4][3] = {
        {0, 1, 1}, {1 / 3.0, 1, 1}, {5 / 6.0, 1, 1}, {7 / 12.0, 0.5, 0.8}};
    static const float expected_hls[4][3] = {{0, 0.5f, 1}, {120, 0.5f, 1}, {300, 0.5f, 1}, {210, 0.6f, 0.5f}};
    double hsv[12];
    float hls[12];

    rgb_to_hsv(rgb[0], hsv, 4);
    rgb_to_hls(rgb[0], hls, 4);
    for (int i = 0; i < 12; i++) {
        assert_true(fabs(hsv[i] - expected_hsv[i / 3][i % 3]) < 1e-12);
        assert_true(fabsf(hls[i] - expected_hls[i / 3][i % 3]) < 1e-4f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hsv_there_and_back),
        cmocka_unit_test(hls_there_and_back),
        cmocka_unit_test(full_channels_stay_full),
        cmocka_unit_test(known_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
