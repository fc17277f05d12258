/* The numbers of clusters at an image's size, their colours, heat and marks. */
#include "support/errors.h"

#include "dinoft/cluster_picture.h"

#include <stdlib.h>
#include <string.h>

/* Two by two patches: the cluster is 0 on the left, 1 on the right, 2 right below. */
static const float corners[2 * 2 * 3] = {0, 9, 9, 9, 0, 9, 0, 9, 9, 9, 9, 0};

static void squares_have_their_patches_number(void **state)
{
    struct df_image indices = {0};

    assert_works(df_picture_clusters(corners, 2, 2, 3, false, 5, 7, &indices) == 0);
    assert_int_equal(indices.channels, 1);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 7; x++)
            assert_int_equal(indices.pixels[7 * y + x], x * 2 / 7 == 0 ? 0 : y * 2 / 5 == 0 ? 1 : 2);
    df_image_free(&indices);
}

/* Against the same in double, straight from the formula. */
static void smooth_borders_are_bilinear(void **state)
{
    enum { H = 3, W = 4, K = 5, HEIGHT = 20, WIDTH = 33 };
    float distances[H * W * K];
    struct df_image indices = {0};

    for (int i = 0; i < H * W * K; i++)
        distances[i] = (float)(i * 37 % 101);
    assert_works(df_picture_clusters(distances, H, W, K, true, HEIGHT, WIDTH, &indices) == 0);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            double fy = (y + 0.5) * H / HEIGHT - 0.5, fx = (x + 0.5) * W / WIDTH - 0.5, found[K], least = 1e9;
            fy = fy < 0 ? 0 : fy > H - 1 ? H - 1 : fy;
            fx = fx < 0 ? 0 : fx > W - 1 ? W - 1 : fx;
            const int top = (int)fy, left = (int)fx, below = top + 1 < H ? top + 1 : top,
                      right = left + 1 < W ? left + 1 : left;
            for (int k = 0; k < K; k++) {
                found[k] = (1 - fy + top) * ((1 - fx + left) * distances[(top * W + left) * K + k] +
                                             (fx - left) * distances[(top * W + right) * K + k]) +
                           (fy - top) * ((1 - fx + left) * distances[(below * W + left) * K + k] +
                                         (fx - left) * distances[(below * W + right) * K + k]);
                least = found[k] < least ? found[k] : least;
            }
            assert_true(found[indices.pixels[y * WIDTH + x]] - least < 1e-3);
        }
    }
    df_image_free(&indices);
}

static void colours_differ(void **state)
{
    uint8_t palette[256][3];

    df_cluster_palette(palette);
    for (int a = 0; a < 20; a++) {
        for (int b = 0; b < a; b++) {
            int difference = 0;
            for (int c = 0; c < 3; c++)
                difference += abs(palette[a][c] - palette[b][c]);
            if (difference < 40)
                fail_msg("colours %d and %d differ by %d levels only", b, a, difference);
        }
    }
    for (int c = 0; c < 3; c++)
        assert_int_equal(palette[255][c], 255);
}

static void heat_grows_lighter(void **state)
{
    struct df_image picture = {0};
    int before = -1;

    assert_works(df_image_alloc(&picture, 256, 1, 3) == 0);
    for (int i = 0; i < 256; i++)
        memset(picture.pixels + 3 * i, i, 3);
    df_picture_heat(&picture);
    for (int i = 0; i < 256; i++) {
        const uint8_t *pixel = picture.pixels + 3 * i;
        const int lightness = 299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2];
        assert_true(lightness >= before);
        before = lightness;
    }
    assert_memory_equal(picture.pixels, ((const uint8_t[]){68, 1, 84}), 3);
    assert_memory_equal(picture.pixels + 3 * 255, ((const uint8_t[]){253, 231, 37}), 3);
    df_image_free(&picture);
}

/* Also at the corners, where most of the ring is outside; the pixel itself stays. */
static void marks_stay_within(void **state)
{
    struct df_image picture = {0};

    assert_works(df_image_alloc(&picture, 30, 20, 3) == 0);
    memset(picture.pixels, 7, 30 * 20 * 3);
    df_picture_mark(&picture, 0, 0);
    df_picture_mark(&picture, 29, 19);
    int red = 0;
    for (int i = 0; i < 600; i++)
        red += picture.pixels[3 * i] == 255 && picture.pixels[3 * i + 1] < 64;
    assert_true(red > 2);
    assert_int_equal(picture.pixels[0], 7);
    assert_int_equal(picture.pixels[3 * 599], 7);
    df_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squares_have_their_patches_number),
        cmocka_unit_test(smooth_borders_are_bilinear),
        cmocka_unit_test(colours_differ),
        cmocka_unit_test(heat_grows_lighter),
        cmocka_unit_test(marks_stay_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
