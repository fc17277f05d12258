/* The steps of spatter's drops against OpenCV's. */
#include "corruptions/pictures.h"
#include "corruptions/pieces.h"
#include "src/corruptions/pixels/canny.h"
#include "src/corruptions/pixels/chamfer.h"
#include "src/corruptions/pixels/grey.h"

#include <math.h>
#include <string.h>

static void edges_are_opencvs(void **state)
{
    struct df_image picture = rings(), edges = blank(1);

    assert_int_equal(canny(&picture, 50, 150, &edges), 0);
    assert_hash(&edges, canny_hash);
    df_image_free(&picture);
    df_image_free(&edges);
}

static void flat_pictures_have_no_edges(void **state)
{
    struct df_image picture = blank(1), edges = blank(1);

    memset(picture.pixels, 200, PICTURE_HEIGHT * PICTURE_WIDTH);
    assert_int_equal(canny(&picture, 50, 150, &edges), 0);
    for (int i = 0; i < PICTURE_HEIGHT * PICTURE_WIDTH; i++)
        assert_int_equal(edges.pixels[i], 0);
    df_image_free(&picture);
    df_image_free(&edges);
}

/* A stripe whose edges are weak but for one end: they are kept as far as they hang together. */
static void weak_edges_need_a_strong_one(void **state)
{
    struct df_image picture = blank(1), edges = blank(1);

    memset(picture.pixels, 100, PICTURE_HEIGHT * PICTURE_WIDTH);
    for (int x = 0; x < PICTURE_WIDTH; x++) {
        picture.pixels[10 * PICTURE_WIDTH + x] = x < 5 ? 160 : 125; /* gradients of 240 and 100 */
        picture.pixels[30 * PICTURE_WIDTH + x] = 125;
    }
    assert_int_equal(canny(&picture, 50, 150, &edges), 0);
    assert_int_equal(edges.pixels[9 * PICTURE_WIDTH + 40], 255);
    for (int x = 0; x < PICTURE_WIDTH; x++)
        assert_int_equal(edges.pixels[29 * PICTURE_WIDTH + x], 0);
    df_image_free(&picture);
    df_image_free(&edges);
}

/* OpenCV works in steps of 2^-16. */
static void distances_are_opencvs(void **state)
{
    struct df_image picture = rings(), edges = blank(1);
    struct float_image distance;

    assert_int_equal(canny(&picture, 50, 150, &edges), 0);
    assert_int_equal(chamfer_distance(&edges, 20.0f, &distance), 0);
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++)
        assert_true(fabsf(distance.pixels[23 * i] - distances[i]) < 2e-4f);
    float_image_free(&distance);
    df_image_free(&picture);
    df_image_free(&edges);
}

static void distances_end_where_they_are_told(void **state)
{
    struct df_image edges = blank(1);
    struct float_image distance;

    memset(edges.pixels, 0, PICTURE_HEIGHT * PICTURE_WIDTH);
    edges.pixels[0] = 255;
    assert_int_equal(chamfer_distance(&edges, 3.5f, &distance), 0);
    assert_true(distance.pixels[0] == 0.0f && distance.pixels[3] == 3.0f && distance.pixels[4] == 3.5f);
    assert_true(distance.pixels[PICTURE_HEIGHT * PICTURE_WIDTH - 1] == 3.5f);
    float_image_free(&distance);
    df_image_free(&edges);
}

static void filters_are_opencvs(void **state)
{
    static const int emboss[3][3] = {{-2, -1, 0}, {-1, 1, 1}, {0, 1, 2}};
    struct df_image picture = rings(), result = blank(1);

    assert_int_equal(grey_box3(&picture, &result), 0);
    assert_hash(&result, box_hash);
    assert_int_equal(grey_filter3(&picture, emboss, &result), 0);
    assert_hash(&result, filter_hash);
    df_image_free(&picture);
    df_image_free(&result);
}

/* Of whole distances: many means are whole numbers, which must not be cut off to the one below. */
static void means_of_distances_are_opencvs(void **state)
{
    struct df_image picture = rings(), edges = blank(1);
    struct float_image distance;

    assert_int_equal(canny(&picture, 50, 150, &edges), 0);
    assert_int_equal(chamfer_distance(&edges, 20.0f, &distance), 0);
    for (int i = 0; i < PICTURE_HEIGHT * PICTURE_WIDTH; i++)
        distance.pixels[i] = rintf(distance.pixels[i]);
    grey_from_box3(&distance, &edges);
    assert_hash(&edges, box_of_distances_hash);
    float_image_free(&distance);
    df_image_free(&picture);
    df_image_free(&edges);
}

static void equalization_is_opencvs(void **state)
{
    struct df_image picture = rings();

    for (int i = 0; i < PICTURE_HEIGHT * PICTURE_WIDTH; i++)
        picture.pixels[i] = (uint8_t)(picture.pixels[i] / 3 + 40);
    grey_equalize(&picture);
    assert_hash(&picture, equalized_hash);
    memset(picture.pixels, 77, PICTURE_HEIGHT * PICTURE_WIDTH);
    grey_equalize(&picture);
    assert_int_equal(picture.pixels[0], 77);
    df_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_are_opencvs),
        cmocka_unit_test(flat_pictures_have_no_edges),
        cmocka_unit_test(weak_edges_need_a_strong_one),
        cmocka_unit_test(distances_are_opencvs),
        cmocka_unit_test(distances_end_where_they_are_told),
        cmocka_unit_test(filters_are_opencvs),
        cmocka_unit_test(means_of_distances_are_opencvs),
        cmocka_unit_test(equalization_is_opencvs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
