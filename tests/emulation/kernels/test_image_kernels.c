/* Pixels to the model's input and to patches, and decoded images to a batch: bit for bit what the CPU makes
 * of them. */
#include "device_arrays.h"

#include "dinoft/image.h"
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

/* Sources of different sizes, packed with gaps: enlarged, reduced, kept, and both at once. */
static const int32_t source_sizes[][2] = {{5, 3},   {1, 1},   {37, 50}, {133, 20}, {200, 90},
                                          {40, 33}, {2, 150}, {64, 1},  {129, 34}};
enum { SOURCES = sizeof source_sizes / sizeof *source_sizes, GAP = 5 };

static int64_t place_sources(struct df_packed_image *sources, int channels)
{
    int64_t end = 0;
    for (int i = 0; i < SOURCES; i++) {
        sources[i] = (struct df_packed_image){end + GAP, source_sizes[i][0], source_sizes[i][1]};
        end = sources[i].offset + (int64_t)sources[i].width * sources[i].height * channels;
    }
    return end;
}

static void check_resize(int64_t height, int64_t width)
{
    struct df_packed_image sources[SOURCES];
    const size_t bytes = (size_t)place_sources(sources, 3), plane = (size_t)(height * width);
    uint8_t *pixels = random_bytes(bytes, 4), *resized = malloc(3 * plane);
    float *image = device_room(SOURCES * 3 * plane * sizeof(float)), *got;

    assert_non_null(resized);
    assert_ran(df_launch_resize_normalize(NULL, put_bytes(pixels, bytes), put_bytes(sources, sizeof sources),
                                          image, SOURCES, height, width, imagenet_mean, imagenet_std));
    got = get_bytes(image, SOURCES * 3 * plane * sizeof(float));
    for (int i = 0; i < SOURCES; i++) {
        const struct df_image source = {sources[i].width, sources[i].height, 3, pixels + sources[i].offset};
        assert_int_equal(df_resize_linear(&source, resized, width, height), 0);
        for (size_t at = 0; at < 3 * plane; at++) {
            const float want = normalized(resized[at % plane * 3 + at / plane], (int)(at / plane),
                                          imagenet_mean, imagenet_std);
            if (got[(size_t)i * 3 * plane + at] != want)
                fail_msg("source %d to %lld x %lld: element %zu is %.9g, expected %.9g", i, (long long)width,
                         (long long)height, at, (double)got[(size_t)i * 3 * plane + at], (double)want);
        }
    }
    free(pixels);
    free(resized);
    release_arrays();
}

static void images_are_resized(void **state)
{
    (void)state;
    check_resize(1, 1);
    check_resize(33, 40);
    check_resize(17, 129);
    check_resize(56, 70);
    check_resize(90, 200);
    assert_ran(df_launch_resize_normalize(NULL, NULL, NULL, NULL, 0, 14, 14, imagenet_mean, imagenet_std));
}

static void check_labels(int64_t height, int64_t width)
{
    struct df_packed_image sources[SOURCES];
    const size_t bytes = (size_t)place_sources(sources, 1), plane = (size_t)(height * width);
    uint8_t *masks = random_bytes(bytes, 5), *want = malloc(plane);
    uint8_t *labels = device_room(SOURCES * plane), *got;

    assert_non_null(want);
    assert_ran(df_launch_resize_labels(NULL, put_bytes(masks, bytes), put_bytes(sources, sizeof sources),
                                       labels, SOURCES, height, width));
    got = get_bytes(labels, SOURCES * plane);
    for (int i = 0; i < SOURCES; i++) {
        const struct df_image source = {sources[i].width, sources[i].height, 1, masks + sources[i].offset};
        df_resize_nearest(&source, want, width, height);
        assert_memory_equal(got + (size_t)i * plane, want, plane);
    }
    free(masks);
    free(want);
    release_arrays();
}

static void labels_are_resized(void **state)
{
    (void)state;
    check_labels(1, 1);
    check_labels(33, 40);
    check_labels(17, 129);
    check_labels(56, 70);
    check_labels(90, 200);
    assert_ran(df_launch_resize_labels(NULL, NULL, NULL, NULL, 0, 14, 14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_normalized), cmocka_unit_test(every_value_is_normalized_exactly),
        cmocka_unit_test(patches_are_cut),       cmocka_unit_test(images_are_resized),
        cmocka_unit_test(labels_are_resized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
