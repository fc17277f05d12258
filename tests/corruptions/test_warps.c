/* Moved pixels against OpenCV's. */
#include "corruptions/pictures.h"
#include "corruptions/pieces.h"
#include "src/corruptions/pixels/warps.h"

#include <math.h>
#include <string.h>

static const double before[3][2] = {{42, 51}, {42, 11}, {2, 11}};
static const double after[3][2] = {{45.25, 40.5}, {36.75, 17.125}, {-3.5, 9.0}};

static void points_go_where_they_are_sent(void **state)
{
    const struct affine map = affine_between(before, after);

    for (int i = 0; i < 3; i++) {
        const double x = before[i][0], y = before[i][1];
        assert_true(fabs(map.xx * x + map.xy * y + map.x0 - after[i][0]) < 1e-9);
        assert_true(fabs(map.yx * x + map.yy * y + map.y0 - after[i][1]) < 1e-9);
    }
}

static void check_affine(struct df_image picture, bool nearest, uint64_t hash)
{
    const struct affine inverse_map = affine_between(after, before);
    struct df_image result = blank(picture.channels);

    warp_affine(&picture, &inverse_map, nearest, &result);
    assert_hash(&result, hash);
    df_image_free(&picture);
    df_image_free(&result);
}

static void affine_maps_are_opencvs(void **state)
{
    check_affine(colours(), false, affine_linear_colours_hash);
    check_affine(colours(), true, affine_nearest_colours_hash);
    check_affine(rings(), false, affine_linear_grey_hash);
    check_affine(rings(), true, affine_nearest_grey_hash);
}

static void check_offsets(struct df_image picture, bool nearest, uint64_t hash)
{
    struct float_image dx = offsets(7, 3), dy = offsets(5, 11);
    struct df_image result = blank(picture.channels);

    warp_by_offsets(&picture, &dx, &dy, nearest, &result);
    assert_hash(&result, hash);
    float_image_free(&dx);
    float_image_free(&dy);
    df_image_free(&picture);
    df_image_free(&result);
}

static void offsets_are_opencvs(void **state)
{
    check_offsets(colours(), false, offsets_linear_colours_hash);
    check_offsets(colours(), true, offsets_nearest_colours_hash);
    check_offsets(rings(), false, offsets_linear_grey_hash);
    check_offsets(rings(), true, offsets_nearest_grey_hash);
}

static void check_nothing_moves(bool nearest)
{
    const struct affine inverse_map = affine_between(before, before);
    struct df_image picture = colours(), result = blank(3);
    struct float_image none = offsets(1, 1);

    memset(none.pixels, 0, PICTURE_HEIGHT * PICTURE_WIDTH * sizeof(float));
    warp_affine(&picture, &inverse_map, nearest, &result);
    assert_memory_equal(result.pixels, picture.pixels, PICTURE_HEIGHT * PICTURE_WIDTH * 3);
    warp_by_offsets(&picture, &none, &none, nearest, &result);
    assert_memory_equal(result.pixels, picture.pixels, PICTURE_HEIGHT * PICTURE_WIDTH * 3);
    float_image_free(&none);
    df_image_free(&picture);
    df_image_free(&result);
}

static void nothing_moves_by_nothing(void **state)
{
    check_nothing_moves(false);
    check_nothing_moves(true);
}

/* Three points on a line (or nearly) have no map between them: pixels then come from anywhere, but from the
 * picture. The sanitizers look on. */
static void singular_maps_stay_in_the_picture(void **state)
{
    static const double line[3][2] = {{1, 1}, {2, 2}, {3, 3}},
                        almost[3][2] = {{1, 1}, {2, 2}, {3, 3 + 1e-12}};
    const struct affine maps[2] = {affine_between(line, after), affine_between(almost, after)};
    struct df_image picture = rings(), result = blank(1);

    for (int i = 0; i < PICTURE_HEIGHT * PICTURE_WIDTH; i++)
        picture.pixels[i] = (uint8_t)(i % 2 ? 90 : 110);
    for (int map = 0; map < 2; map++) {
        for (int nearest = 0; nearest < 2; nearest++) {
            warp_affine(&picture, &maps[map], nearest, &result);
            for (int i = 0; i < PICTURE_HEIGHT * PICTURE_WIDTH; i++)
                assert_true(result.pixels[i] >= 90 && result.pixels[i] <= 110);
        }
    }
    df_image_free(&picture);
    df_image_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_go_where_they_are_sent),
        cmocka_unit_test(affine_maps_are_opencvs),
        cmocka_unit_test(offsets_are_opencvs),
        cmocka_unit_test(nothing_moves_by_nothing),
        cmocka_unit_test(singular_maps_stay_in_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
