/* Pictures of patches: their squares, and the guided enlargement against a plain reference. */
#include "dinoft/feature_picture.h"
#include "dinoft/rng.h"
#include "support/cmocka_all.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct size {
    int h, w;
};

static float *draw_colors(int h, int w, uint64_t seed)
{
    float *colors = malloc((size_t)(h * w) * DF_PATCH_COLORS * sizeof *colors);
    struct df_rng rng;

    assert_non_null(colors);
    df_rng_seed(&rng, seed, 2);
    for (int i = 0; i < h * w; i++) {
        const bool shown = seed % 2 == 0 || df_rng_double(&rng) < 0.6;
        for (int c = 0; c < 3; c++)
            colors[i * DF_PATCH_COLORS + c] = shown ? (float)df_rng_double(&rng) : 0.0f;
        colors[i * DF_PATCH_COLORS + 3] = shown;
    }
    return colors;
}

/* Smooth, with two edges and noise. */
static struct df_image draw_image(int height, int width, uint64_t seed)
{
    struct df_image image;
    struct df_rng rng;

    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    df_rng_seed(&rng, seed, 3);
    for (int i = 0; i < height * width; i++) {
        const int y = i / width, x = i % width;
        const int bright = (3 * x > width ? 90 : 0) + (2 * y > height ? 60 : 0);
        for (int c = 0; c < 3; c++)
            image.pixels[3 * i + c] = (uint8_t)(bright + 20 * c + x % 30 + (int)(20 * df_rng_double(&rng)));
    }
    return image;
}

static uint8_t pixel(const struct df_image *picture, int64_t y, int64_t x, int c)
{
    return picture->pixels[(y * picture->width + x) * 3 + c];
}

static void patches_are_squares(void **state)
{
    const struct size sizes[] = {{20, 35}, {23, 41}, {5, 7}, {3, 4}, {1, 1}};
    float *colors = draw_colors(5, 7, 0);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const int height = sizes[i].h, width = sizes[i].w;
        struct df_image picture;
        assert_int_equal(df_picture_patches(colors, 5, 7, height, width, &picture), 0);
        assert_true(picture.height == height && picture.width == width && picture.channels == 3);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < 3; c++) {
                    const float *patch = colors + (y * 5 / height * 7 + x * 7 / width) * DF_PATCH_COLORS;
                    assert_int_equal(pixel(&picture, y, x, c), (uint8_t)(patch[c] * 255.0f));
                }
        df_image_free(&picture);
    }
    free(colors);
}

static void ends_of_the_range_are_reached(void **state)
{
    const float colors[2][DF_PATCH_COLORS] = {{1.0f, 0.0f, 0.5f, 1.0f}, {0.0f, 1.0f, 1.0f / 255.0f, 1.0f}};
    const uint8_t expected[6] = {255, 0, 127, 0, 255, 1};
    struct df_image picture;

    assert_int_equal(df_picture_patches(colors[0], 1, 2, 1, 2, &picture), 0);
    assert_memory_equal(picture.pixels, expected, 6);
    df_image_free(&picture);
}

/* --- the reference: pictures of doubles, every pixel for itself --- */

struct plain {
    int h, w;
    double *guide, *colors; /* [h, w, 3], [h, w, 4] */
};

static struct plain plain_new(int h, int w)
{
    return (struct plain){h, w, calloc((size_t)(h * w), 3 * sizeof(double)),
                          calloc((size_t)(h * w), 4 * sizeof(double))};
}

static void plain_free(struct plain *p)
{
    free(p->guide);
    free(p->colors);
}

static int clamp(int i, int count)
{
    return i < 0 ? 0 : i >= count ? count - 1 : i;
}

/* The mean of the pixels from `top` to `bottom` - 1, `left` to `right` - 1, edges repeated. */
static void plain_mean(const struct plain *from, int top, int bottom, int left, int right, double mean[3])
{
    for (int c = 0; c < 3; c++) {
        mean[c] = 0.0;
        for (int y = top; y < bottom; y++)
            for (int x = left; x < right; x++)
                mean[c] += from->guide[(clamp(y, from->h) * from->w + clamp(x, from->w)) * 3 + c];
        mean[c] /= (double)((bottom - top) * (right - left));
    }
}

/* Fills to->colors; a pixel of `to` lies in the coarser one at the same place of the whole, which is ratio_y
 * high. */
static void plain_step(const struct plain *from, struct plain *to, double ratio_y, double ratio_x)
{
    for (int i = 0; i < to->h * to->w; i++) {
        const double y = (i / to->w + 0.5) * ratio_y - 0.5, x = (i % to->w + 0.5) * ratio_x - 0.5;
        double sums[5] = {0.0};
        for (int t = 0; t < 9; t++) {
            const int ty = (int)floor(y + 0.5) + t / 3 - 1, tx = (int)floor(x + 0.5) + t % 3 - 1;
            const int at = clamp(ty, from->h) * from->w + clamp(tx, from->w);
            double square = 0.0;
            for (int c = 0; c < 3; c++)
                square += pow(from->guide[3 * at + c] - to->guide[3 * i + c], 2);
            const double factor = exp(-((ty - y) * (ty - y) + (tx - x) * (tx - x)) / (2 * 0.55 * 0.55)) *
                                  pow(1.0 + square / (16 * 18.0 * 18.0), -8);
            for (int c = 0; c < 4; c++)
                sums[c] += factor * from->colors[4 * at + c];
            sums[4] += factor;
        }
        for (int c = 0; c < 4; c++)
            to->colors[4 * i + c] = sums[c] / sums[4];
    }
}

static struct plain plain_enlarge(const float *colors, int h, int w, const struct df_image *image)
{
    struct plain levels[17], grid = plain_new(h, w);
    int top = 0;

    levels[0] = plain_new((int)image->height, (int)image->width);
    for (int i = 0; i < levels[0].h * levels[0].w * 3; i++)
        levels[0].guide[i] = image->pixels[i];
    while ((levels[top].h + 1) / 2 >= h && (levels[top].w + 1) / 2 >= w && levels[top].h > 1 &&
           levels[top].w > 1) {
        const struct plain *finer = &levels[top];
        levels[++top] = plain_new((finer->h + 1) / 2, (finer->w + 1) / 2);
        for (int i = 0; i < levels[top].h * levels[top].w; i++) {
            const int y = 2 * (i / levels[top].w), x = 2 * (i % levels[top].w);
            plain_mean(finer, y, y + 2, x, x + 2, levels[top].guide + 3 * i);
        }
    }
    for (int i = 0; i < h * w; i++) {
        const int y = i / w, x = i % w, y0 = y * levels[0].h / h, x0 = x * levels[0].w / w;
        const int y1 = (y + 1) * levels[0].h / h, x1 = (x + 1) * levels[0].w / w;
        plain_mean(&levels[0], y0, y1 > y0 ? y1 : y0 + 1, x0, x1 > x0 ? x1 : x0 + 1, grid.guide + 3 * i);
        for (int c = 0; c < 4; c++)
            grid.colors[4 * i + c] = colors[4 * i + c];
    }
    plain_step(&grid, &levels[top], (double)h / levels[top].h, (double)w / levels[top].w);
    plain_free(&grid);
    for (; top > 0; top--) {
        plain_step(&levels[top], &levels[top - 1], 0.5, 0.5);
        plain_free(&levels[top]);
    }
    return levels[0];
}

/* Levels may differ by one where rounding meets a boundary; whether a pixel is shown, where it is even. */
static void compare(const float *colors, struct size grid, const struct df_image *image)
{
    struct plain expected = plain_enlarge(colors, grid.h, grid.w, image);
    struct df_image picture;

    assert_int_equal(df_picture_guided(colors, grid.h, grid.w, image, &picture), 0);
    assert_true(picture.height == image->height && picture.width == image->width && picture.channels == 3);
    for (int i = 0; i < expected.h * expected.w; i++) {
        const double *color = expected.colors + 4 * i;
        if (fabs(color[3] - 0.5) < 1e-4)
            continue;
        for (int c = 0; c < 3; c++) {
            const double level = color[3] < 0.5 ? 0.0 : 255.0 * color[c] / color[3];
            if (fabs(picture.pixels[3 * i + c] - floor(level)) > 1.0)
                fail_msg("pixel %d of %d x %d: %d, expected %g", i, expected.h, expected.w,
                         picture.pixels[3 * i + c], level);
        }
    }
    plain_free(&expected);
    df_image_free(&picture);
}

static void guided_is_the_references(void **state)
{
    const struct size grids[] = {{1, 1}, {2, 3}, {5, 4}, {9, 9}};
    const struct size sizes[] = {{1, 1}, {2, 2}, {3, 50}, {37, 61}, {64, 64}, {90, 33}, {128, 7}};
    uint64_t seed = 0;

    for (size_t g = 0; g < sizeof grids / sizeof grids[0]; g++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++, seed++) {
            struct df_image image = draw_image(sizes[s].h, sizes[s].w, seed);
            float *colors = draw_colors(grids[g].h, grids[g].w, seed);
            compare(colors, grids[g], &image);
            free(colors);
            df_image_free(&image);
        }
}

/* --- what it is for --- */

static void a_constant_stays(void **state)
{
    struct df_image image = draw_image(75, 101, 4), picture;
    float colors[6 * 8][DF_PATCH_COLORS];

    for (int i = 0; i < 6 * 8; i++)
        memcpy(colors[i], (float[]){1.0f, 0.3f, 0.0f, 1.0f}, sizeof colors[i]);
    assert_int_equal(df_picture_guided(colors[0], 6, 8, &image, &picture), 0);
    for (int i = 0; i < 75 * 101; i++) {
        assert_int_equal(picture.pixels[3 * i], 255);
        assert_int_equal(picture.pixels[3 * i + 1], 76);
        assert_int_equal(picture.pixels[3 * i + 2], 0);
    }
    df_image_free(&picture);
    df_image_free(&image);
}

static void colours_stay_in_the_patches_range(void **state)
{
    struct df_image image = draw_image(120, 96, 6), picture;
    float colors[7 * 6][DF_PATCH_COLORS];

    for (int i = 0; i < 7 * 6; i++)
        for (int c = 0; c < DF_PATCH_COLORS; c++)
            colors[i][c] = c == 3 ? 1.0f : 0.2f + 0.1f * (float)((i * 5 + c) % 4);
    assert_int_equal(df_picture_guided(colors[0], 7, 6, &image, &picture), 0);
    for (int i = 0; i < 120 * 96 * 3; i++)
        assert_in_range(picture.pixels[i], 51, 127);
    df_image_free(&picture);
    df_image_free(&image);
}

/* Black and white, with the edge at column 44 of 96. */
static struct df_image draw_step(uint8_t right)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, 96, 96, 3), 0);
    for (int i = 0; i < 96 * 96 * 3; i++)
        image.pixels[i] = i / 3 % 96 < 44 ? 0 : right;
    return image;
}

/* Eight patches of 12 pixels; the edge lies within the fourth, which mixes both sides. */
static void draw_halves(float colors[64][DF_PATCH_COLORS], bool hidden)
{
    for (int i = 0; i < 64; i++) {
        const float value = i % 8 < 3 ? 0.0f : i % 8 == 3 ? 1.0f / 3.0f : 1.0f;
        const float shown = hidden ? value > 0.5f : 1.0f;
        memcpy(colors[i], (float[]){value * shown, value * shown, shown, shown}, sizeof colors[i]);
    }
}

static void the_images_edge_is_followed(void **state)
{
    float colors[64][DF_PATCH_COLORS];
    struct df_image edge = draw_step(255), flat = draw_step(0), picture;

    draw_halves(colors, false);
    assert_int_equal(df_picture_guided(colors[0], 8, 8, &edge, &picture), 0);
    for (int y = 0; y < 96; y++) {
        for (int x = 0; x < 44; x++)
            assert_in_range(pixel(&picture, y, x, 0), 0, 60);
        for (int x = 44; x < 96; x++)
            assert_in_range(pixel(&picture, y, x, 0), 195, 255);
    }
    df_image_free(&picture);
    assert_int_equal(df_picture_guided(colors[0], 8, 8, &flat, &picture), 0);
    assert_true(pixel(&picture, 48, 44, 0) - pixel(&picture, 48, 43, 0) < 30);
    df_image_free(&picture);
    df_image_free(&edge);
    df_image_free(&flat);
}

static void what_is_hidden_ends_at_the_images_edge(void **state)
{
    float colors[64][DF_PATCH_COLORS];
    struct df_image edge = draw_step(255), picture;

    draw_halves(colors, true);
    assert_int_equal(df_picture_guided(colors[0], 8, 8, &edge, &picture), 0);
    for (int y = 0; y < 96; y++)
        for (int x = 0; x < 96; x++) {
            /* Colours of hidden patches do not darken those that are shown. */
            assert_int_equal(pixel(&picture, y, x, 0), x < 44 ? 0 : 255);
            assert_int_equal(pixel(&picture, y, x, 2), x < 44 ? 0 : 255);
        }
    df_image_free(&picture);
    df_image_free(&edge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_are_squares),
        cmocka_unit_test(ends_of_the_range_are_reached),
        cmocka_unit_test(guided_is_the_references),
        cmocka_unit_test(a_constant_stays),
        cmocka_unit_test(colours_stay_in_the_patches_range),
        cmocka_unit_test(the_images_edge_is_followed),
        cmocka_unit_test(what_is_hidden_ends_at_the_images_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
