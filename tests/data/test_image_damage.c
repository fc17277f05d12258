/* Every fixture, cut and with random bytes changed, hundreds of times: it decodes or it is refused with a
 * text, and under the sanitizers nothing else happens. */
#include "data/goldens.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDENS (sizeof decoded_goldens / sizeof decoded_goldens[0])

static void try_to_read(const char *name, const unsigned char *bytes, size_t size)
{
    struct df_image image;
    const char *path = scratch_path(name);

    scratch_write(name, bytes, size);
    df_error_set("%s", "");
    if (df_image_read(path, NULL, &image) != 0)
        assert_error_has(name);
    df_image_free(&image);
    df_error_set("%s", "");
    if (df_mask_read(path, &image) != 0)
        assert_error_has(name);
    df_image_free(&image);
}

static unsigned char *fixture(size_t i, size_t *size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/images/%s", DINOFT_FIXTURES, decoded_goldens[i].file);
    return read_whole(path, size);
}

static void changed_bytes(void **state)
{
    struct df_rng rng;
    size_t size;

    for (size_t i = 0; i < GOLDENS; i++) {
        unsigned char *good = fixture(i, &size);
        unsigned char *bad = malloc(size);
        assert_non_null(bad);
        df_rng_seed(&rng, 1, i);
        for (int round = 0; round < 60; round++) {
            /* Half of the rounds in the header, where most of the decisions are. */
            size_t range = round % 2 && size > 64 ? 64 : size;
            memcpy(bad, good, size);
            for (uint64_t k = df_rng_below(&rng, 4) + 1; k > 0; k--)
                bad[df_rng_below(&rng, range)] = (unsigned char)df_rng_u64(&rng);
            try_to_read(decoded_goldens[i].file, bad, size);
        }
        free(bad);
        free(good);
    }
}

static void cut_files(void **state)
{
    struct df_image image;
    size_t size;

    for (size_t i = 0; i < GOLDENS; i++) {
        unsigned char *good = fixture(i, &size);
        for (size_t part = 0; part < 20; part++) {
            try_to_read(decoded_goldens[i].file, good, size * part / 20);
            if (df_image_read(scratch_path(decoded_goldens[i].file), NULL, &image) == 0)
                fail_msg("%s was read although only %zu twentieths are there", decoded_goldens[i].file, part);
        }
        free(good);
    }
}

/* Headers that ask for 16384 x 16384 pixels, with less behind them than the smallest file of that size. */
static void headers_that_ask_for_too_much(void **state)
{
#define SIDE "\x40\x00"
    static const struct {
        const char *name, *bytes;
        size_t size;
    } files[] = {
#define FILE_OF(name, bytes) {name, bytes, sizeof(bytes) - 1}
        FILE_OF("big.pgm", "P5 16384 16384 255 abc"),
        FILE_OF("big.ppm", "P6 16384 16384 255 abc"),
        FILE_OF("big.bmp", "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\0\x40\0\0\0\x40\0\0\1\0\x18\0\0\0\0\0"
                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        FILE_OF("big.tga", "\0\0\x0a\0\0\0\0\0\0\0\0\0\0\x40\0\x40\x18\0\xff\1\2\3"),
        FILE_OF("big.gif", "GIF89a\0\x40\0\x40\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"),
        FILE_OF("big.png",
                "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0" SIDE "\0\0" SIDE "\x8\2\0\0\0\x26\xaa\x87\xd3"),
        FILE_OF("big.jpg", "\xff\xd8\xff\xc0\0\x0b\x8" SIDE SIDE "\1\1\x11\0\xff\xda\0\x8\1\1\0\0\x3f\0abc"),
    };
    struct df_image image;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        scratch_write(files[i].name, files[i].bytes, files[i].size);
        assert_int_equal(df_image_read(scratch_path(files[i].name), NULL, &image), -1);
        assert_error_has(files[i].name);
        assert_error_has("16384 x 16384 pixels, more than a file of");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_bytes),
        cmocka_unit_test(cut_files),
        cmocka_unit_test(headers_that_ask_for_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
