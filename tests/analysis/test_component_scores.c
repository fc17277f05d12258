/* Scores brought to colours, and foreground told from background. */
#include "dinoft/component_scores.h"
#include "support/cmocka_all.h"

#include <string.h>

static void columns_are_scaled_by_themselves(void **state)
{
    float scores[4][3] = {{1, 0, -2}, {3, 0, 2}, {2, 0, 0}, {1.5f, 0, 2}};
    const float expected[4][3] = {{0, 0, 0}, {1, 0, 1}, {0.5f, 0, 0.5f}, {0.25f, 0, 1}};

    df_scores_scale(scores[0], 4, NULL);
    assert_memory_equal(scores, expected, sizeof scores);
}

static void rows_that_are_left_out_count_for_nothing(void **state)
{
    float scores[4][3] = {{1, 5, -2}, {100, -100, 100}, {2, 6, 0}, {1.5f, 5.25f, -1}};
    const float expected[4][3] = {{0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {0.5f, 0.25f, 0.5f}};
    const uint8_t keep[4] = {1, 0, 1, 1}, none[4] = {0};

    df_scores_scale(scores[0], 4, keep);
    assert_memory_equal(scores, expected, sizeof scores);
    df_scores_scale(scores[0], 4, none);
    for (int i = 0; i < 12; i++)
        assert_true(scores[i / 3][i % 3] == 0.0f);
}

enum { IMAGES = 2, H = 4, W = 5, ALL = IMAGES * H * W };

/* Two images whose inner patches are an object; one of them reaches the border. */
static void draw_object(float scores[ALL][3], uint8_t object[ALL], float inside, float outside)
{
    memset(scores, 0, ALL * sizeof *scores);
    for (int i = 0; i < ALL; i++) {
        const int y = i / W % H, x = i % W;
        object[i] = y >= 1 && y <= 2 && (i / (H * W) == 1 ? x >= 2 : x >= 1 && x <= 3);
        scores[i][0] = object[i] ? inside : outside;
    }
}

static void background_is_at_the_borders(void **state)
{
    float scores[ALL][3];
    uint8_t object[ALL], found[ALL];

    draw_object(scores, object, 0.1f, 0.8f);
    assert_false(df_scores_foreground(scores[0], IMAGES, H, W, found));
    assert_memory_equal(found, object, ALL);
    draw_object(scores, object, 0.9f, 0.4f);
    assert_true(df_scores_foreground(scores[0], IMAGES, H, W, found));
    assert_memory_equal(found, object, ALL);
}

static void the_middle_is_low(void **state)
{
    float scores[ALL][3];
    uint8_t object[ALL], found[ALL];

    draw_object(scores, object, 0.5f, 0.75f);
    assert_false(df_scores_foreground(scores[0], IMAGES, H, W, found));
    assert_memory_equal(found, object, ALL);
}

/* Where borders say nothing the low side is shown, and all of it. */
static void without_a_difference(void **state)
{
    float scores[ALL][3] = {{0}};
    const float thin[3][3] = {{0.2f}, {0.9f}, {0.1f}};
    const uint8_t low_ones[3] = {1, 0, 1};
    uint8_t found[ALL];

    assert_false(df_scores_foreground(scores[0], IMAGES, H, W, found));
    for (int i = 0; i < ALL; i++)
        assert_int_equal(found[i], 1);
    assert_false(df_scores_foreground(thin[0], 1, 1, 3, found));
    assert_memory_equal(found, low_ones, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_scaled_by_themselves),
        cmocka_unit_test(rows_that_are_left_out_count_for_nothing),
        cmocka_unit_test(background_is_at_the_borders),
        cmocka_unit_test(the_middle_is_low),
        cmocka_unit_test(without_a_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
