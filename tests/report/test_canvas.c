/* Drawing: where the ink goes. */
#include "support/cmocka_all.h"

#include "src/report/plot/canvas.h"

#include <math.h>
#include <string.h>

#define SIDE 100

static const uint8_t black[3] = {0, 0, 0}, red[3] = {255, 0, 0};

static struct df_image paper(void)
{
    struct df_image image;
    assert_int_equal(df_image_alloc(&image, SIDE, SIDE, 3), 0);
    memset(image.pixels, 255, 3 * SIDE * SIDE);
    return image;
}

/* The smallest rectangle that has all pixels that are darker than half. */
struct box {
    int left, right, top, bottom, count;
};

static struct box ink(const struct df_image *image)
{
    struct box box = {SIDE, -1, SIDE, -1, 0};
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            if (image->pixels[3 * (y * SIDE + x) + 1] >= 128)
                continue;
            box.left = x < box.left ? x : box.left;
            box.right = x > box.right ? x : box.right;
            box.top = y < box.top ? y : box.top;
            box.bottom = y > box.bottom ? y : box.bottom;
            box.count++;
        }
    }
    return box;
}

static struct box ink_of(const char *text, double x, double y, struct df_text_style style)
{
    struct df_image image = paper();
    df_canvas_text(&image, x, y, text, &style);
    const struct box box = ink(&image);
    df_image_free(&image);
    return box;
}

static void rectangles_are_cut_at_the_edges(void **state)
{
    struct df_image image = paper();
    struct box box;
    df_canvas_fill(&image, -5, 98, 10, 50, red);
    df_canvas_fill(&image, 200, 0, 10, 10, red);
    df_canvas_fill(&image, 0, 0, 0, 10, red);
    box = ink(&image);
    assert_int_equal(box.left, 0);
    assert_int_equal(box.right, 4);
    assert_int_equal(box.top, 98);
    assert_int_equal(box.bottom, 99);
    assert_int_equal(box.count, 10);
    assert_int_equal(image.pixels[3 * 98 * SIDE], 255);
    df_image_free(&image);
}

/* Capitals stand on the line and are 0.7 of the size high. */
static void letters_have_their_height(void **state)
{
    const struct box box = ink_of("H", 10, 60, (struct df_text_style){.size = 40});
    assert_in_range(box.bottom, 59, 62);
    assert_in_range(box.bottom - box.top, 27, 32);
    assert_true(ink_of("g", 10, 60, (struct df_text_style){.size = 40}).bottom > 64);
}

static void anchors_move_the_text(void **state)
{
    const double width = df_canvas_text_width("HH", 20);
    const struct box start = ink_of("HH", 50, 50, (struct df_text_style){.size = 20});
    const struct box middle =
        ink_of("HH", 50, 50, (struct df_text_style){.size = 20, .anchor = DF_ANCHOR_MIDDLE});
    const struct box end = ink_of("HH", 50, 50, (struct df_text_style){.size = 20, .anchor = DF_ANCHOR_END});
    assert_true(start.left >= 50 && start.right <= 50 + (int)ceil(width));
    assert_true(end.right <= 50 && end.left >= 50 - (int)ceil(width));
    assert_in_range(middle.left + middle.right, 98, 102);
    assert_true(start.right - start.left >= (int)(0.8 * width));
}

/* Turned a quarter to the left: up becomes left, right becomes up. */
static void upward_is_turned(void **state)
{
    struct df_image flat = paper(), turned = paper();
    const struct df_text_style style = {.size = 20}, upward = {.size = 20, .upward = true};
    df_canvas_text(&flat, 30, 60, "Fgj", &style);
    df_canvas_text(&turned, 60, 69, "Fgj", &upward);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            assert_memory_equal(flat.pixels + 3 * (y * SIDE + x),
                                turned.pixels + 3 * ((SIDE - 1 - x) * SIDE + y), 3);
    assert_true(ink(&flat).count > 50);
    df_image_free(&flat);
    df_image_free(&turned);
}

static void text_outside_harms_nothing(void **state)
{
    assert_int_equal(ink_of("far away", -500, -500, (struct df_text_style){.size = 48}).count, 0);
    assert_int_equal(ink_of("far away", 1e6, 50, (struct df_text_style){.size = 4}).count, 0);
    assert_true(ink_of("over the edge", 60, 3, (struct df_text_style){.size = 48}).count > 0);
}

/* Every character has ink of its own, but the space; what has no glyph is a box. */
static void all_of_ascii_is_there(void **state)
{
    int shapes[128] = {0};
    for (int c = ' '; c < 0x7f; c++) {
        const char text[2] = {(char)c, '\0'};
        struct df_image image = paper();
        df_canvas_text(&image, 30, 60, text, &(struct df_text_style){.size = 40});
        unsigned hash = 5381;
        for (int i = 0; i < 3 * SIDE * SIDE; i++)
            hash = hash * 33 ^ image.pixels[i];
        shapes[c] = (int)hash;
        assert_true(c == ' ' ? ink(&image).count == 0 : ink(&image).count > 4);
        for (int other = ' '; other < c; other++)
            assert_int_not_equal(shapes[other], shapes[c]);
        df_image_free(&image);
    }
    assert_int_equal(ink_of("\xc3\xa9", 30, 60, (struct df_text_style){.size = 40}).count,
                     ink_of("\xff", 30, 60, (struct df_text_style){.size = 40}).count);
    assert_true(ink_of("\xff", 30, 60, (struct df_text_style){.size = 40}).count > 20);
}

static void widths_add_up(void **state)
{
    assert_true(df_canvas_text_width("", 20) == 0.0);
    assert_true(fabs(df_canvas_text_width("ab", 20) - df_canvas_text_width("a", 20) -
                     df_canvas_text_width("b", 20)) < 1e-9);
    assert_true(fabs(df_canvas_text_width("ab", 40) - 2.0 * df_canvas_text_width("ab", 20)) < 1e-9);
    assert_true(df_canvas_text_width("W", 20) > df_canvas_text_width("i", 20));
    assert_true(fabs(df_canvas_text_width("\xe4\xba\xba", 20) - df_canvas_text_width("\xff", 20)) < 1e-9);
}

static void long_text_is_cut_by_whole_characters(void **state)
{
    char out[32];
    df_canvas_cut_text("short", 10, 1000, "...", out, sizeof out);
    assert_string_equal(out, "short");
    df_canvas_cut_text("a rather long name", 10, 50, "...", out, sizeof out);
    assert_true(df_canvas_text_width(out, 10) <= 50.0);
    assert_true(df_canvas_text_width(out, 10) > 40.0);
    assert_memory_equal(out, "a rat", 5);
    assert_non_null(strstr(out, "..."));
    df_canvas_cut_text("anything", 10, 0, "...", out, sizeof out);
    assert_string_equal(out, "...");
    df_canvas_cut_text("\xe4\xba\xba\xe4\xba\xba\xe4\xba\xba", 10, 1000, "...", out, 9);
    assert_string_equal(out, "\xe4\xba\xba...");
    df_canvas_cut_text("1234567", 10, 1000, "...", out, 8);
    assert_string_equal(out, "1234567");
}

static void color_is_the_styles(void **state)
{
    struct df_image image = paper();
    struct df_text_style style = {.size = 40};
    memcpy(style.color, red, 3);
    df_canvas_text(&image, 30, 60, "I", &style);
    const struct box box = ink(&image);
    assert_memory_equal(image.pixels + 3 * (50 * SIDE + (box.left + box.right) / 2), red, 3);
    df_canvas_fill(&image, 0, 0, SIDE, SIDE, black);
    assert_int_equal(ink(&image).count, SIDE * SIDE);
    df_image_free(&image);
}

/* White around the strokes, the strokes as without. */
static void a_halo_is_white(void **state)
{
    struct df_image image = paper();
    struct df_text_style style = {.size = 40};
    int white = 0;

    const struct box without = ink_of("I8", 30, 60, style);
    style.halo = true;
    const struct box with = ink_of("I8", 30, 60, style);
    assert_memory_equal(&with, &without, sizeof with);
    memset(image.pixels, 0, 3 * SIDE * SIDE);
    df_canvas_text(&image, 30, 60, "I8", &style);
    for (int i = 0; i < SIDE * SIDE; i++)
        white += image.pixels[3 * i] == 255;
    assert_true(white > with.count);
    df_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rectangles_are_cut_at_the_edges),
        cmocka_unit_test(letters_have_their_height),
        cmocka_unit_test(anchors_move_the_text),
        cmocka_unit_test(upward_is_turned),
        cmocka_unit_test(text_outside_harms_nothing),
        cmocka_unit_test(all_of_ascii_is_there),
        cmocka_unit_test(widths_add_up),
        cmocka_unit_test(long_text_is_cut_by_whole_characters),
        cmocka_unit_test(color_is_the_styles),
        cmocka_unit_test(a_halo_is_white),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
