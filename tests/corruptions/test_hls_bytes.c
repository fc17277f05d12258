/* Colours and enlarged pictures against OpenCV's. */
#include "corruptions/pictures.h"
#include "corruptions/pieces.h"
#include "src/corruptions/pixels/cubic.h"
#include "src/corruptions/pixels/hls_bytes.h"
#include "support/scratch.h"

#include <stdlib.h>

#define COUNT 20000

static void hls_is_opencvs(void **state)
{
    uint8_t *pixels = malloc(3 * COUNT);

    assert_non_null(pixels);
    for (int i = 0; i < COUNT; i++) {
        pixels[3 * i] = (uint8_t)(i * 7);
        pixels[3 * i + 1] = (uint8_t)((int64_t)i * i * 3 / 16);
        pixels[3 * i + 2] = (uint8_t)(i * 29);
    }
    hls_bytes_from_rgb(pixels, pixels, COUNT);
    assert_true(hash_bytes(pixels, 3 * COUNT) == hls_hash);
    free(pixels);
}

static void rgb_is_opencvs(void **state)
{
    uint8_t *pixels = malloc(3 * COUNT);

    assert_non_null(pixels);
    for (int i = 0; i < COUNT; i++) {
        pixels[3 * i] = (uint8_t)(i % 181);
        pixels[3 * i + 1] = (uint8_t)(i * 7);
        pixels[3 * i + 2] = (uint8_t)(i * 13 / 11);
    }
    hls_bytes_to_rgb(pixels, pixels, COUNT);
    assert_true(hash_bytes(pixels, 3 * COUNT) == rgb_hash);
    free(pixels);
}

/* Counts that do not fill a block; nothing is written behind them. */
static void greys_come_back(void **state)
{
    for (int count = 1; count < 200; count += 37) {
        uint8_t pixels[3 * 200];
        for (int i = 0; i < 3 * 200; i++)
            pixels[i] = (uint8_t)(i / 3);
        hls_bytes_from_rgb(pixels, pixels, count);
        assert_int_equal(pixels[3 * (count - 1) + 2], 0);
        hls_bytes_to_rgb(pixels, pixels, count);
        for (int i = 0; i < 3 * 200; i++)
            assert_int_equal(pixels[i], i / 3);
    }
}

static void check_enlarged(int width, int height, uint64_t whole_hash, uint64_t cut_hash)
{
    struct df_image picture = colours(), whole, cut;

    assert_int_equal(cubic_cut(&picture, width, height, 0, 0, width, height, &whole), 0);
    assert_hash(&whole, whole_hash);
    assert_int_equal(cubic_cut(&picture, width, height, 5, 3, 44, 37, &cut), 0);
    assert_hash(&cut, cut_hash);
    df_image_free(&picture);
    df_image_free(&whole);
    df_image_free(&cut);
}

static void enlarged_pictures_are_opencvs(void **state)
{
    check_enlarged(69, 50, enlarged_hash, enlarged_cut_hash);
    check_enlarged(131, 97, doubled_hash, doubled_cut_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hls_is_opencvs),
        cmocka_unit_test(rgb_is_opencvs),
        cmocka_unit_test(greys_come_back),
        cmocka_unit_test(enlarged_pictures_are_opencvs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
