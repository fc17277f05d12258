/* Where the numbers of regions are, and where none are. */
#include "support/cmocka_all.h"

#include "dinoft/region_numbers.h"

#include <string.h>

#define SIDE 120

static struct df_palette palette;
static struct df_image classes, picture;

static void fill(int x, int y, int width, int height, uint8_t number)
{
    for (int row = y; row < y + height; row++)
        memset(classes.pixels + row * SIDE + x, number, (size_t)width);
}

static int begin(void **state)
{
    df_palette_fill(&palette, DF_DATASET_VOC, "background");
    if (df_image_alloc(&classes, SIDE, SIDE, 1) != 0 || df_image_alloc(&picture, SIDE, SIDE, 3) != 0)
        return -1;
    memset(classes.pixels, 0, SIDE * SIDE);
    memset(picture.pixels, 128, 3 * SIDE * SIDE);
    return 0;
}

static int end(void **state)
{
    df_image_free(&classes);
    df_image_free(&picture);
    return 0;
}

/* Pixels of a rectangle that are not as they were. */
static int changed(int x, int y, int width, int height)
{
    int count = 0;
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            count += picture.pixels[3 * (row * SIDE + column)] != 128;
    return count;
}

static void draw(void)
{
    assert_int_equal(df_region_numbers_draw(&picture, &classes, &palette), 0);
}

static void a_number_in_the_middle(void **state)
{
    fill(20, 30, 60, 40, 1);
    draw();
    assert_true(changed(0, 0, SIDE, SIDE) > 30);
    assert_int_equal(changed(40, 40, 20, 20), changed(0, 0, SIDE, SIDE));
}

/* An L: its middle is outside, or at an edge; the number is in its thick arm. */
static void inside_a_region_that_is_not_convex(void **state)
{
    fill(10, 10, 30, 100, 1);
    fill(40, 100, 70, 10, 1);
    draw();
    assert_true(changed(10, 10, 30, 100) > 30);
    assert_int_equal(changed(10, 10, 30, 100), changed(0, 0, SIDE, SIDE));
}

static void each_region_has_one(void **state)
{
    fill(0, 0, 40, 40, 7);
    fill(80, 80, 40, 40, 7);
    draw();
    assert_true(changed(0, 0, 40, 40) > 30);
    assert_int_equal(changed(0, 0, 40, 40), changed(80, 80, 40, 40));
    assert_int_equal(2 * changed(0, 0, 40, 40), changed(0, 0, SIDE, SIDE));
}

/* Of the small regions of a class without another number the widest; of those beside a large one, none. */
static void small_regions(void **state)
{
    fill(10, 10, 6, 6, 7);
    fill(60, 10, 8, 8, 7);
    fill(10, 60, 40, 40, 9);
    fill(100, 100, 8, 8, 9);
    fill(100, 50, 2, 2, 11);
    draw();
    assert_int_equal(changed(0, 0, 30, 30), 0);
    assert_true(changed(45, 0, 40, 30) > 20);
    assert_true(changed(10, 60, 40, 40) > 30);
    assert_int_equal(changed(90, 90, 30, 30), 0);
    assert_int_equal(changed(90, 40, 30, 30), 0);
}

static void none_for_background_and_void(void **state)
{
    fill(0, 60, SIDE, 60, 255);
    draw();
    assert_int_equal(changed(0, 0, SIDE, SIDE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_number_in_the_middle, begin, end),
        cmocka_unit_test_setup_teardown(inside_a_region_that_is_not_convex, begin, end),
        cmocka_unit_test_setup_teardown(each_region_has_one, begin, end),
        cmocka_unit_test_setup_teardown(small_regions, begin, end),
        cmocka_unit_test_setup_teardown(none_for_background_and_void, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
