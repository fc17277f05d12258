/* The picture of the confusion matrix: colours of cells where they belong, for few and many classes. */
#include "support/cmocka_all.h"

#include "src/report/plot/color_scale.h"

#include "dinoft/confusion_picture.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 255 /* classes */

static struct df_image drawn(const struct df_metrics *metrics, char *const *names)
{
    struct df_image picture;
    assert_int_equal(df_confusion_draw(metrics, names, &picture), 0);
    assert_int_equal(picture.channels, 3);
    return picture;
}

static const uint8_t *pixel(const struct df_image *picture, int64_t x, int64_t y)
{
    return picture->pixels + 3 * (y * picture->width + x);
}

static bool is_color(const uint8_t *pixel, const uint8_t color[3])
{
    return memcmp(pixel, color, 3) == 0;
}

/* Left, top and side of the matrix, found by its frame: the longest dark line from the left. */
struct frame {
    int64_t left, top, side;
};

static struct frame find_frame(const struct df_image *picture)
{
    static const uint8_t ink[3] = {0x1b, 0x1e, 0x22};
    struct frame frame = {0, 0, 0};
    for (int64_t y = 0; y < picture->height && frame.side == 0; y++) {
        int64_t run = 0;
        for (int64_t x = 0; x < picture->width; x++) {
            run = is_color(pixel(picture, x, y), ink) ? run + 1 : 0;
            if (run > 60 && (x + 1 == picture->width || !is_color(pixel(picture, x + 1, y), ink))) {
                frame = (struct frame){x - run + 2, y + 1, run - 2};
                break;
            }
        }
    }
    assert_true(frame.side > 0);
    return frame;
}

/* A corner of a cell, away from its number. */
static const uint8_t *cell(const struct df_image *picture, const struct frame *frame, int n, int row,
                           int column)
{
    const double side = (double)(frame->side + (n <= 25 ? 1 : 0)) / n;
    return pixel(picture, frame->left + (int64_t)(side * column) + 3, frame->top + (int64_t)(side * row) + 3);
}

static void assert_share(const uint8_t *found, double share)
{
    uint8_t color[3];
    df_color_scale(sqrt(share), color);
    if (!is_color(found, color))
        fail_msg("%d %d %d is not the colour of %.3f: %d %d %d", found[0], found[1], found[2], share,
                 color[0], color[1], color[2]);
}

static char **make_names(int n)
{
    char **names = calloc((size_t)n, sizeof *names);
    for (int i = 0; i < n; i++) {
        names[i] = df_text_format("class_%d", i);
    }
    return names;
}

static void free_names(char **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static void cells_have_their_colors(void **state)
{
    static const int sizes[] = {2, 3, 12, 21, 25, 26, 60, 150, MOST};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int n = sizes[s];
        char **names = make_names(n);
        struct df_metrics metrics;
        assert_int_equal(df_metrics_init(&metrics, n, false), 0);
        for (int i = 0; i < n; i++)
            metrics.confusion[i * n + i] = 64;
        metrics.confusion[0] = 75; /* row 0: 75 % right, 25 % are class 1 */
        metrics.confusion[1] = 25;
        metrics.confusion[(n - 1) * n + n - 1] = 0; /* the last row: all wrong, as class 0 */
        metrics.confusion[(n - 1) * n] = 7;
        struct df_image picture = drawn(&metrics, names);
        const struct frame frame = find_frame(&picture);
        assert_share(cell(&picture, &frame, n, 0, 0), 0.75);
        assert_share(cell(&picture, &frame, n, 0, 1), 0.25);
        assert_share(cell(&picture, &frame, n, n - 1, 0), 1.0);
        assert_share(cell(&picture, &frame, n, n - 1, n - 1), 0.0);
        if (n > 2) {
            assert_share(cell(&picture, &frame, n, 1, 1), 1.0);
            assert_share(cell(&picture, &frame, n, 1, 0), 0.0);
            assert_share(cell(&picture, &frame, n, n / 2, n / 2), 1.0);
        }
        assert_true(picture.width < 3000 && picture.height < 3000);
        df_image_free(&picture);
        df_metrics_free(&metrics);
        free_names(names, n);
    }
}

/* Two greys, as in no cell of the scale. */
static void rows_without_labels_are_hatched(void **state)
{
    char *names[3] = {"a", "b", "c"};
    struct df_metrics metrics;
    uint8_t none[3];
    int hatched = 0, plain = 0;
    assert_int_equal(df_metrics_init(&metrics, 3, false), 0);
    metrics.confusion[0] = metrics.confusion[8] = 1;
    struct df_image picture = drawn(&metrics, names);
    const struct frame frame = find_frame(&picture);
    df_color_scale(NAN, none);
    for (int64_t x = frame.left; x < frame.left + frame.side; x++) {
        const uint8_t *at = pixel(&picture, x, frame.top + frame.side / 2);
        plain += is_color(at, none);
        hatched += at[0] == 0xc4 && at[1] == 0xc4;
    }
    assert_true(hatched > 30 && plain > 100);
    df_image_free(&picture);
    df_metrics_free(&metrics);
}

/* Where it fits, the share is written into its cell; nothing into cells without pixels. */
static void numbers_are_in_cells_up_to_25_classes(void **state)
{
    for (int n = 25; n <= 26; n++) {
        char **names = make_names(n);
        struct df_metrics metrics;
        int written = 0, elsewhere = 0;
        assert_int_equal(df_metrics_init(&metrics, n, false), 0);
        for (int i = 0; i < n; i++)
            metrics.confusion[i * n + i] = 1;
        struct df_image picture = drawn(&metrics, names);
        const struct frame frame = find_frame(&picture);
        const uint8_t *full = cell(&picture, &frame, n, 1, 1), *empty = cell(&picture, &frame, n, 1, 0);
        const int64_t side = frame.side / n;
        for (int64_t y = 4; y < side - 4; y++) {
            for (int64_t x = 4; x < side - 4; x++) {
                const int64_t down = frame.top + side + y;
                written += !is_color(pixel(&picture, frame.left + side + x, down), full);
                elsewhere += !is_color(pixel(&picture, frame.left + x, down), empty);
            }
        }
        assert_true(n == 25 ? written > 20 : written == 0);
        assert_int_equal(elsewhere, 0);
        df_image_free(&picture);
        df_metrics_free(&metrics);
        free_names(names, n);
    }
}

static void names_of_any_kind_fit(void **state)
{
    static char endless[5000];
    char *names[3] = {endless, "caf\xff \xe4\xba\xba \x01\n", ""};
    struct df_metrics metrics;
    memset(endless, 'W', sizeof endless - 1);
    assert_int_equal(df_metrics_init(&metrics, 3, false), 0);
    struct df_image picture = drawn(&metrics, names); /* all counts are 0, too */
    assert_true(picture.width < 1200 && picture.height < 1200);
    df_image_free(&picture);
    df_metrics_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_have_their_colors),
        cmocka_unit_test(rows_without_labels_are_hatched),
        cmocka_unit_test(numbers_are_in_cells_up_to_25_classes),
        cmocka_unit_test(names_of_any_kind_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
