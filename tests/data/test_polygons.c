/* Polygons of masks, drawn again by the pixels' centres. test_polygons WIDTH HEIGHT: how long a checkerboard
 * and noise of this size take. */
#include "src/data/shapes/polygons.h"

#include "dinoft/clock.h"
#include "dinoft/labels.h"

#include "support/cmocka_all.h"
#include "support/errors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
    int64_t width, height;
    uint8_t *mask;    /* what is drawn; DF_IGNORE_LABEL: nothing yet */
    int64_t overlaps; /* pixels that are drawn twice */
    int64_t pixels;   /* as the polygons have them */
    int64_t area;     /* twice, of the polygons as they are */
    size_t polygons, rings, corners;
};

static int64_t ring_area(const struct df_corner *ring, size_t count)
{
    int64_t area = 0;

    for (size_t i = 0; i < count; i++) {
        const struct df_corner a = ring[i], b = ring[(i + 1) % count];
        area += (int64_t)a.x * b.y - (int64_t)b.x * a.y;
    }
    return area;
}

/* Turns all pixels whose centre is to the right of the edge. */
static void turn_edge(uint8_t *inside, const struct drawing *drawing, struct df_corner a, struct df_corner b)
{
    const struct df_corner top = a.y < b.y ? a : b, end = a.y < b.y ? b : a;

    for (int64_t y = top.y; y < end.y; y++) {
        const double at = top.x + ((double)y + 0.5 - top.y) * (end.x - top.x) / (end.y - top.y);
        for (int64_t x = 0; x < drawing->width; x++)
            inside[y * drawing->width + x] ^= (double)x + 0.5 > at;
    }
}

static int draw(void *context, const struct df_polygon *polygon)
{
    struct drawing *drawing = context;
    const int64_t pixels = drawing->width * drawing->height;
    uint8_t *inside = calloc((size_t)pixels, 1);
    size_t begin = 0;

    assert_non_null(inside);
    for (size_t r = 0; r < polygon->rings; begin = polygon->ends[r++]) {
        const struct df_corner *ring = polygon->corners + begin;
        const size_t count = polygon->ends[r] - begin;
        const int64_t area = ring_area(ring, count);
        assert_true(count >= 3);
        assert_true(r == 0 ? area > 0 : area < 0);
        drawing->area += area;
        drawing->corners += count;
        for (size_t i = 0; i < count; i++)
            turn_edge(inside, drawing, ring[i], ring[(i + 1) % count]);
    }
    for (int64_t i = 0; i < pixels; i++) {
        drawing->overlaps += inside[i] && drawing->mask[i] != DF_IGNORE_LABEL;
        if (inside[i])
            drawing->mask[i] = polygon->class;
    }
    drawing->pixels += polygon->pixels;
    drawing->polygons++;
    drawing->rings += polygon->rings;
    free(inside);
    return 0;
}

static struct drawing trace(const uint8_t *mask, int64_t width, int64_t height, double tolerance)
{
    struct drawing drawing = {.width = width, .height = height};

    drawing.mask = malloc((size_t)(width * height));
    assert_non_null(drawing.mask);
    memset(drawing.mask, DF_IGNORE_LABEL, (size_t)(width * height));
    assert_works(df_polygons_trace(mask, width, height, tolerance, draw, &drawing) == 0);
    assert_int_equal(drawing.overlaps, 0);
    return drawing;
}

static struct drawing check_exact(const uint8_t *mask, int64_t width, int64_t height)
{
    const struct drawing drawing = trace(mask, width, height, 0.0);

    assert_memory_equal(drawing.mask, mask, (size_t)(width * height));
    assert_int_equal(drawing.area, 2 * drawing.pixels);
    free(drawing.mask);
    return drawing;
}

/* Neighbours meet with no gaps and no overlaps, and no region is lost. */
static void check_simplified(const uint8_t *mask, int64_t width, int64_t height, double tolerance)
{
    const struct drawing exact = check_exact(mask, width, height);
    const struct drawing drawing = trace(mask, width, height, tolerance);

    assert_int_equal(drawing.area, 2 * width * height);
    assert_int_equal(drawing.pixels, width * height);
    assert_int_equal(drawing.polygons, exact.polygons);
    assert_int_equal(drawing.rings, exact.rings);
    assert_true(drawing.corners <= exact.corners);
    for (int64_t i = 0; i < width * height; i++)
        assert_int_not_equal(drawing.mask[i], DF_IGNORE_LABEL);
    free(drawing.mask);
}

static void fill_noise(uint8_t *mask, int64_t pixels, uint32_t classes, uint32_t seed)
{
    for (int64_t i = 0; i < pixels; i++) {
        seed = seed * 1664525U + 1013904223U;
        mask[i] = (uint8_t)((seed >> 16) % classes);
    }
}

/* Regions with ragged borders: noise, of which each pixel takes the class that is most frequent around it. */
static void fill_blobs(uint8_t *mask, int64_t size, uint32_t classes, uint32_t seed)
{
    uint8_t noise[64 * 64];

    fill_noise(mask, size * size, classes, seed);
    for (int round = 0; round < 3; round++) {
        memcpy(noise, mask, (size_t)(size * size));
        for (int64_t y = 1; y + 1 < size; y++) {
            for (int64_t x = 1; x + 1 < size; x++) {
                int count[8] = {0}, best = 0;
                for (int64_t i = 0; i < 9; i++)
                    count[noise[(y - 1 + i / 3) * size + x - 1 + i % 3]]++;
                for (int c = 1; c < 8; c++)
                    best = count[c] > count[best] ? c : best;
                mask[y * size + x] = (uint8_t)best;
            }
        }
    }
}

static void test_noise(void **state)
{
    uint8_t mask[13 * 11];

    (void)state;
    for (uint32_t seed = 0; seed < 600; seed++) {
        const int64_t width = 1 + seed % 13, height = 1 + seed / 13 % 11;
        fill_noise(mask, width * height, 2 + seed % 3, seed);
        check_simplified(mask, width, height, 0.4 + 0.3 * (seed % 9));
    }
}

static void test_blobs(void **state)
{
    static uint8_t mask[64 * 64];

    (void)state;
    for (uint32_t seed = 0; seed < 24; seed++) {
        fill_blobs(mask, 64, 2 + seed % 4, seed);
        check_simplified(mask, 64, 64, 0.5 + 0.5 * (seed % 8));
    }
}

static void test_holes(void **state)
{
    static const uint8_t mask[] = {0, 0, 0, 0, 0, 0, 0, /* a ring, a ring in it, and one pixel there */
                                   0, 1, 1, 1, 1, 1, 0, /**/
                                   0, 1, 0, 0, 0, 1, 0, /**/
                                   0, 1, 0, 1, 0, 1, 0, /**/
                                   0, 1, 0, 0, 0, 1, 0, /**/
                                   0, 1, 1, 1, 1, 1, 0, /**/
                                   0, 0, 0, 0, 0, 0, 0};
    static const uint8_t diagonal[] = {1, 1, 1, 1, /* two holes that touch at a corner */
                                       1, 0, 1, 1, /**/
                                       1, 1, 0, 1, /**/
                                       1, 1, 1, 1};
    struct drawing drawing = check_exact(mask, 7, 7);

    (void)state;
    assert_int_equal(drawing.polygons, 4);
    assert_int_equal(drawing.rings, 7);
    drawing = check_exact(diagonal, 4, 4);
    assert_int_equal(drawing.polygons, 3);
    assert_int_equal(drawing.rings, 5);
    check_simplified(mask, 7, 7, 2.0);
    check_simplified(diagonal, 4, 4, 2.0);
}

static void test_unknown_pixels_are_no_polygons(void **state)
{
    static const uint8_t mask[] = {0, 255, 0, 255, 255, 255};
    const struct drawing drawing = check_exact(mask, 3, 2);

    (void)state;
    assert_int_equal(drawing.polygons, 2);
    assert_int_equal(drawing.pixels, 2);
}

static int count_one(void *context, const struct df_polygon *polygon)
{
    (void)polygon;
    ++*(size_t *)context;
    return 0;
}

static void measure(const char *what, const uint8_t *mask, int64_t width, int64_t height, double tolerance)
{
    const double start = df_seconds();
    size_t count = 0;

    assert_works(df_polygons_trace(mask, width, height, tolerance, count_one, &count) == 0);
    print_message("%s, tolerance %g: %zu polygons, %.2f s\n", what, tolerance, count, df_seconds() - start);
}

static int measure_all(int64_t width, int64_t height)
{
    uint8_t *mask = malloc((size_t)(width * height));

    for (int64_t i = 0; i < width * height; i++)
        mask[i] = (uint8_t)((i % width + i / width) % 2);
    measure("checkerboard", mask, width, height, 0.0);
    measure("checkerboard", mask, width, height, 1.0);
    fill_noise(mask, width * height, 21, 1);
    measure("noise", mask, width, height, 1.0);
    fill_noise(mask, width * height, 2, 1);
    measure("noise of two classes", mask, width, height, 1.0);
    free(mask);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_blobs),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_unknown_pixels_are_no_polygons),
    };

    if (argc == 3)
        return measure_all(atoll(argv[1]), atoll(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
