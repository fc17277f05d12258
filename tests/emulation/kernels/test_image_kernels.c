/* Pixels to the model's input and to patches: bit for bit what the CPU makes of them. */
#include "device_arrays.h"

#include "dinoft/rng.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f}, imagenet_std[3] = {0.229f, 0.224f, 0.225f};

static uint8_t *random_bytes(size_t count, uint64_t seed)
{
    uint8_t *bytes = malloc(count);
    struct df_rng rng;

    assert_non_null(bytes);
    df_rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)df_rng_below(&rng, 256);
    return bytes;
}

static float normalized(uint8_t value, int channel, const float mean[3], const float std[3])
{
    return ((float)value / 255.0f - mean[channel]) / std[channel];
}

static void check_normalize(int64_t batch, int64_t height, int64_t width)
{
    const int64_t plane = height * width, all = batch * 3 * plane;
    uint8_t *pixels = random_bytes((size_t)all, 1);
    float *image = device_room((size_t)all * sizeof(float));
    const float *got;

    assert_ran(df_launch_image_normalize(NULL, put_bytes(pixels, (size_t)all), image, batch, height, width,
                                         imagenet_mean, imagenet_std));
    got = get_values(image, all, DF_F32);
    for (int64_t i = 0; i < all; i++) {
        const int64_t b = i / (3 * plane), c = i / plane % 3, at = i % plane;
        assert_true(got[i] ==
                    normalized(pixels[(b * plane + at) * 3 + c], (int)c, imagenet_mean, imagenet_std));
    }
    free(pixels);
    release_arrays();
}

static void pixels_are_normalized(void **state)
{
    (void)state;
    check_normalize(1, 1, 1);
    check_normalize(2, 1, 4);
    check_normalize(3, 5, 7);
    check_normalize(2, 28, 42);
    check_normalize(1, 33, 37);
    assert_ran(df_launch_image_normalize(NULL, NULL, NULL, 0, 14, 14, imagenet_mean, imagenet_std));
}

/* Quotients are those of long division, whatever the divisor. */
static void every_value_is_normalized_exactly(void **state)
{
    enum { TRIALS = 100 };
    uint8_t pixels[256 * 3];
    struct df_rng rng;
    const uint8_t *in;
    float *image = device_room(sizeof pixels * sizeof(float));

    (void)state;
    for (int i = 0; i < 256 * 3; i++)
        pixels[i] = (uint8_t)(i / 3);
    in = put_bytes(pixels, sizeof pixels);
    df_rng_seed(&rng, 2, 0);
    for (int trial = 0; trial < TRIALS; trial++) {
        float mean[3], std[3], *got;
        for (int c = 0; c < 3; c++) {
            mean[c] = (float)df_rng_uniform(&rng, 0.0, 1.0);
            std[c] = (float)df_rng_uniform(&rng, 0.05, 2.0);
        }
        assert_ran(df_launch_image_normalize(NULL, in, image, 1, 16, 16, mean, std));
        got = get_bytes(image, sizeof pixels * sizeof(float));
        for (int i = 0; i < 256 * 3; i++)
            assert_true(got[i] == normalized((uint8_t)(i % 256), i / 256, mean, std));
    }
    release_arrays();
}

static void check_patchify(int64_t batch, int64_t h, int64_t w, int64_t p, enum df_dtype type)
{
    const int64_t height = h * p, width = w * p, all = batch * 3 * height * width;
    const float *image = host_normals(all, DF_F32, 0.0, 1.0, 3);
    void *patches = device_room((size_t)all * df_dtype_size(type));
    double *want = host_zeros(all);

    for (int64_t at = 0; at < all; at++) { /* at = ((b * 3 + c) * height + y) * width + x */
        const int64_t x = at % width, y = at / width % height, c = at / (width * height) % 3;
        const int64_t patch = (at / (width * height * 3) * h + y / p) * w + x / p;
        want[(patch * 3 + c) * p * p + y % p * p + x % p] = (double)image[at];
    }
    assert_ran(
        df_launch_patchify(NULL, put_values(image, all, DF_F32), patches, type, batch, height, width, p));
    assert_values("patches", get_values(patches, all, type), want, all, type, 0.0);
    release_arrays();
}

static void patches_are_cut(void **state)
{
    static const enum df_dtype types[] = {DF_F32, DF_BF16};
    static const int64_t sides[] = {1, 3, 8, 14, 16};
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        for (size_t k = 0; k < 2; k++) {
            check_patchify(1, 1, 1, sides[i], types[k]);
            check_patchify(2, 2, 3, sides[i], types[k]);
            check_patchify(1, 1, 11, sides[i],
                           types[k]); /* several blocks a row of patches, the last not full */
        }
    }
    assert_ran(df_launch_patchify(NULL, NULL, NULL, DF_F32, 0, 14, 14, 14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_normalized),
        cmocka_unit_test(every_value_is_normalized_exactly),
        cmocka_unit_test(patches_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
