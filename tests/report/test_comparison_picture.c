/* Images beside their labels and predictions, and the legend below them. */
#include "support/cmocka_all.h"

#include "src/report/comparison_picture.h"
#include "dinoft/legend.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH  160
#define HEIGHT 120
#define GAP    6
#define MARGIN 16
#define TEXT   24

static char *names[] = {"background", "aeroplane", "bicycle", "bird"};
static struct df_overlay_style style = {.opacity = 0.5};
static struct df_image image, label, prediction;

/* A grey image; the label has class 1 on the left and void on the right, the prediction class 2 above. */
static int begin(void **state)
{
    df_palette_fill(&style.palette, DF_DATASET_VOC, names[0]);
    if (df_image_alloc(&image, WIDTH, HEIGHT, 3) != 0 || df_image_alloc(&label, WIDTH, HEIGHT, 1) != 0 ||
        df_image_alloc(&prediction, WIDTH, HEIGHT, 1) != 0)
        return -1;
    memset(image.pixels, 100, 3 * WIDTH * HEIGHT);
    memset(prediction.pixels, 0, WIDTH * HEIGHT);
    memset(prediction.pixels, 2, WIDTH * HEIGHT / 2);
    for (int y = 0; y < HEIGHT; y++) {
        memset(label.pixels + y * WIDTH, 1, WIDTH / 2);
        memset(label.pixels + y * WIDTH + WIDTH / 2, 255, WIDTH / 2);
    }
    return 0;
}

static int end(void **state)
{
    df_image_free(&image);
    df_image_free(&label);
    df_image_free(&prediction);
    return 0;
}

static void assert_pixel(const struct df_image *picture, int64_t x, int64_t y, int red, int green, int blue)
{
    const uint8_t *pixel = picture->pixels + 3 * (y * picture->width + x);
    if (pixel[0] != red || pixel[1] != green || pixel[2] != blue)
        fail_msg("at %d, %d the colour is %d %d %d", (int)x, (int)y, pixel[0], pixel[1], pixel[2]);
}

/* The panels of a strip at (x, y) of a picture. */
static void assert_panels(const struct df_image *picture, int64_t x, int64_t y)
{
    int64_t black = 0;

    assert_pixel(picture, x + 5, y + 5, 100, 100, 100);
    x += WIDTH + GAP;
    assert_pixel(picture, x + 5, y + 5, 114, 50, 50);
    for (int64_t row = 0; row < HEIGHT; row++) {
        for (int64_t column = WIDTH / 2; column < WIDTH; column++) {
            const uint8_t *pixel = picture->pixels + 3 * ((y + row) * picture->width + x + column);
            assert_true(pixel[0] == pixel[1] && (pixel[0] == 0 || pixel[0] == 255));
            black += pixel[0] == 0;
        }
    }
    assert_int_equal(black, WIDTH * HEIGHT / 2 / 3);
    x += WIDTH + GAP;
    assert_pixel(picture, x + 5, y + 5, 50, 114, 50);
    assert_pixel(picture, x + 5, y + HEIGHT - 5, 100, 100, 100);
}

static void a_strip(void **state)
{
    const struct df_comparison_row comparison = {"", &image, &label, &prediction};
    struct df_image strip;

    assert_int_equal(df_comparison_strip(&comparison, &style, &strip), 0);
    assert_int_equal(strip.width, 3 * WIDTH + 2 * GAP);
    assert_int_equal(strip.height, HEIGHT);
    assert_panels(&strip, 0, 0);
    df_image_free(&strip);
}

/* Maps of another size and shape are stretched over the image. */
static void maps_of_another_size(void **state)
{
    struct df_image wide, squares[2], strip;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(df_image_alloc(&squares[i], 40, 40, 1), 0);
        memset(squares[i].pixels, 1, 40 * 40);
    }
    assert_int_equal(df_image_alloc(&wide, 640, 400, 3), 0);
    memset(wide.pixels, 100, 3 * 640 * 400);
    const struct df_comparison_row comparison = {"", &wide, &squares[0], &squares[1]};
    assert_int_equal(df_comparison_strip(&comparison, &style, &strip), 0);
    assert_int_equal(strip.width, 3 * 320 + 2 * GAP);
    assert_int_equal(strip.height, 200);
    assert_pixel(&strip, 320 + GAP + 310, 190, 114, 50, 50);
    df_image_free(&strip);
    df_image_free(&wide);
    for (int i = 0; i < 2; i++)
        df_image_free(&squares[i]);
}

static void strips_and_legend(void **state)
{
    const struct df_comparison_row comparison = {"a caption", &image, &label, &prediction};
    const struct df_comparison_row comparisons[] = {comparison, comparison};
    const int64_t first = MARGIN + TEXT, second = first + HEIGHT + TEXT + 12;
    struct df_image picture;

    assert_int_equal(df_comparison_draw(comparisons, 2, &style, names, 4, &picture), 0);
    assert_int_equal(picture.width, 3 * WIDTH + 2 * GAP + 2 * MARGIN);
    assert_panels(&picture, MARGIN, first);
    assert_panels(&picture, MARGIN, second);
    /* Class 1, class 2 and void, from left to right: a row of 24 pixels. */
    const int64_t legend = second + HEIGHT + TEXT + 12;
    assert_int_equal(picture.height, legend + 24 + MARGIN);
    assert_pixel(&picture, MARGIN + 3, legend + 12, 128, 0, 0);
    df_image_free(&picture);
}

static void small_images_leave_room_for_text(void **state)
{
    const struct df_image dot = {.width = 1, .height = 1, .channels = 3, .pixels = image.pixels};
    const struct df_image one = {.width = 1, .height = 1, .channels = 1, .pixels = label.pixels};
    const struct df_comparison_row comparison = {"a caption that is wider than the image", &dot, &one, &one};
    struct df_image picture;

    assert_int_equal(df_comparison_draw(&comparison, 1, &style, names, 4, &picture), 0);
    assert_int_equal(picture.width, 480 + 2 * MARGIN);
    df_image_free(&picture);
}

static struct df_legend legend_of(int n_classes)
{
    struct df_legend legend = {.palette = &style.palette, .names = names, .n_classes = n_classes};
    return legend;
}

static void a_legend_notes_what_is_shown(void **state)
{
    struct df_legend legend = legend_of(4);

    assert_int_equal(df_legend_height(&legend, 500), 0);
    df_legend_add(&legend, &label);
    df_legend_add(&legend, &prediction);
    for (int number = 0; number < 256; number++)
        assert_int_equal(legend.shown[number], number == 1 || number == 2 || number == 255);
    assert_int_equal(df_legend_height(&legend, 500), 24);
    assert_int_equal(df_legend_height(&legend, 1), 3 * 24);
    legend.n_classes = 2; /* what has no name is left out */
    assert_int_equal(df_legend_height(&legend, 1), 2 * 24);
}

static void a_picture_of_all_classes(void **state)
{
    char *many[150];
    struct df_image few, all;

    for (int i = 0; i < 150; i++)
        many[i] = "a class's name";
    assert_int_equal(df_legend_picture(&style.palette, names, 4, NULL, &few), 0);
    assert_int_equal(few.height, 4 * 24 + 2 * MARGIN);
    for (int number = 0; number < 4; number++) {
        const uint8_t *rgb = style.palette.rgb[number];
        assert_pixel(&few, MARGIN + 3, MARGIN + 24 * number + 12, rgb[0], rgb[1], rgb[2]);
    }
    assert_int_equal(df_legend_picture(&style.palette, many, 150, NULL, &all), 0);
    assert_int_equal(all.height, 30 * 24 + 2 * MARGIN);
    assert_true(all.width > 4 * few.width);
    df_image_free(&few);
    df_image_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strip),
        cmocka_unit_test(maps_of_another_size),
        cmocka_unit_test(strips_and_legend),
        cmocka_unit_test(small_images_leave_room_for_text),
        cmocka_unit_test(a_legend_notes_what_is_shown),
        cmocka_unit_test(a_picture_of_all_classes),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
