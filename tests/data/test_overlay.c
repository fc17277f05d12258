/* tab20 colours against matplotlib's, and the blending. */
#include "support/errors.h"

#include "dinoft/overlay.h"

#include <string.h>

static void assert_color(int class_index, int n_classes, unsigned expected)
{
    uint8_t rgb[3];
    df_tab20_color(class_index, n_classes, rgb);
    assert_int_equal((unsigned)rgb[0] << 16 | (unsigned)rgb[1] << 8 | rgb[2], expected);
}

static void all_twenty_colors(void **state)
{
    static const unsigned tab20[20] = {0x1f77b4, 0xaec7e8, 0xff7f0e, 0xffbb78, 0x2ca02c, 0x98df8a, 0xd62728,
                                       0xff9896, 0x9467bd, 0xc5b0d5, 0x8c564b, 0xc49c94, 0xe377c2, 0xf7b6d2,
                                       0x7f7f7f, 0xc7c7c7, 0xbcbd22, 0xdbdb8d, 0x17becf, 0x9edae5};
    for (int i = 0; i < 20; i++)
        assert_color(i, 20, tab20[i]);
}

/* As matplotlib answers plt.get_cmap("tab20")(i / n). */
static void matplotlib_s_rule(void **state)
{
    assert_color(0, 21, 0x1f77b4);
    assert_color(1, 21, 0x1f77b4);
    assert_color(2, 21, 0xaec7e8);
    assert_color(15, 21, 0x7f7f7f);
    assert_color(20, 21, 0x9edae5);
    assert_color(7, 150, 0x1f77b4);
    assert_color(8, 150, 0xaec7e8);
    assert_color(15, 150, 0xff7f0e);
    assert_color(149, 150, 0x9edae5);
    assert_color(20, 20, 0x9edae5); /* 1.0 is the last colour, and so is what lies beyond */
    assert_color(300, 20, 0x9edae5);
}

static void palette(void **state)
{
    uint8_t colors[256][3];
    df_tab20_palette(21, colors);
    for (int i = 0; i < 255; i++) {
        uint8_t rgb[3];
        df_tab20_color(i, 21, rgb);
        assert_memory_equal(colors[i], rgb, 3);
    }
    assert_memory_equal(colors[255], "\xff\xff\xff", 3);
}

static void half_and_half(void **state)
{
    uint8_t pixels[] = {0, 100, 255, 10, 20, 30, 255, 255, 255};
    uint8_t indices[] = {1, 255, 0};
    uint8_t colors[256][3] = {{255, 255, 255}, {255, 101, 0}};
    const struct df_image image = {.width = 3, .height = 1, .channels = 3, .pixels = pixels};
    const struct df_image classes = {.width = 3, .height = 1, .channels = 1, .pixels = indices};
    struct df_image result;
    assert_int_equal(df_overlay(&image, &classes, colors, &result), 0);
    assert_int_equal(result.width, 3);
    assert_int_equal(result.height, 1);
    assert_int_equal(result.channels, 3);
    const uint8_t expected[] = {128, 101, 128, 10, 20, 30, 255, 255, 255};
    assert_memory_equal(result.pixels, expected, sizeof expected);
    df_image_free(&result);
}

static struct df_overlay_style style_of(double opacity, bool outlines)
{
    struct df_overlay_style style = {.opacity = opacity, .outlines = outlines};
    df_palette_fill(&style.palette, DF_DATASET_VOC, "background");
    return style;
}

/* Class 0 is the background, 255 void; class 1 is (128, 0, 0). */
static void opacity(void **state)
{
    static const struct {
        double opacity;
        uint8_t red, green;
    } cases[] = {{0.0, 100, 100}, {0.25, 107, 75}, {0.5, 114, 50}, {1.0, 128, 0}};
    uint8_t pixels[9], indices[] = {1, 0, 255};
    const struct df_image image = {.width = 3, .height = 1, .channels = 3, .pixels = pixels};
    const struct df_image classes = {.width = 3, .height = 1, .channels = 1, .pixels = indices};
    struct df_image result;

    memset(pixels, 100, sizeof pixels);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct df_overlay_style style = style_of(cases[i].opacity, false);
        assert_int_equal(df_overlay_draw(&image, &classes, &style, &result), 0);
        const uint8_t expected[] = {cases[i].red, cases[i].green, cases[i].green, 100, 100, 100, 100, 100,
                                    100};
        assert_memory_equal(result.pixels, expected, sizeof expected);
        df_image_free(&result);
    }
}

/* A square of class 1 (dark) at the left border, in the background: a white line around it but for the
 * border, and one of the full colour within. */
static void outlines(void **state)
{
    enum { SIDE = 9, SQUARE = 7 };
    static const char *const expected[SIDE] = {".........", "WWWWWWW..", "CCCCCCW..",
                                               "#####CW..", "#####CW..", "#####CW..",
                                               "CCCCCCW..", "WWWWWWW..", "........."};
    const struct df_overlay_style style = style_of(0.5, true);
    uint8_t pixels[3 * SIDE * SIDE], indices[SIDE * SIDE] = {0};
    const struct df_image image = {.width = SIDE, .height = SIDE, .channels = 3, .pixels = pixels};
    const struct df_image classes = {.width = SIDE, .height = SIDE, .channels = 1, .pixels = indices};
    struct df_image result;

    memset(pixels, 100, sizeof pixels);
    for (int y = 1; y <= SQUARE; y++)
        memset(indices + y * SIDE, 1, SQUARE);
    assert_int_equal(df_overlay_draw(&image, &classes, &style, &result), 0);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int green = result.pixels[3 * i + 1];
        const char kind = green == 255   ? 'W'
                          : green == 0   ? 'C'
                          : green == 50  ? '#'
                          : green == 100 ? '.'
                                         : '?';
        assert_int_equal(kind, expected[i / SIDE][i % SIDE]);
    }
    df_image_free(&result);
}

static void sizes_that_differ(void **state)
{
    uint8_t pixels[12] = {0}, indices[4] = {0}, colors[256][3];
    df_tab20_palette(2, colors);
    const struct df_image image = {.width = 2, .height = 2, .channels = 3, .pixels = pixels};
    const struct df_image classes = {.width = 4, .height = 1, .channels = 1, .pixels = indices};
    struct df_image result;
    assert_int_equal(df_overlay(&image, &classes, colors, &result), -1);
    assert_error_has("2 x 2");
    assert_error_has("1 x 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_twenty_colors), cmocka_unit_test(matplotlib_s_rule), cmocka_unit_test(palette),
        cmocka_unit_test(half_and_half),     cmocka_unit_test(opacity),           cmocka_unit_test(outlines),
        cmocka_unit_test(sizes_that_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
