/* Every fixture, cut and with random bytes changed, hundreds of times: it decodes or it is refused with a
 * text, and under the sanitizers nothing else happens. */
#include "data/goldens.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"
#include "fixtures/image_formats/image_format_goldens.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDENS (sizeof decoded_goldens / sizeof decoded_goldens[0])
#define FORMATS (sizeof format_goldens / sizeof format_goldens[0])

/* A file and how it is read. */
struct good_file {
    char path[1024];
    const char *name;
    struct df_image_reading reading;
};

/* Of decoded_goldens, and behind them of format_goldens; false: it is one that was there before. */
static bool find_file(size_t i, struct good_file *file)
{
    *file = (struct good_file){0};
    if (i < GOLDENS) {
        file->name = decoded_goldens[i].file;
        snprintf(file->path, sizeof file->path, "%s/images/%s", DINOFT_FIXTURES, file->name);
        return true;
    }
    i -= GOLDENS;
    file->name = format_goldens[i].file;
    snprintf(file->path, sizeof file->path, "%s/image_formats/%s", DINOFT_FIXTURES, file->name);
    assert_int_equal(df_image_reading_parse(format_goldens[i].range, format_goldens[i].bands, &file->reading),
                     0);
    return file->name[0] != '.' && (i == 0 || strcmp(file->name, format_goldens[i - 1].file) != 0);
}

static int try_to_read(const struct good_file *file, const unsigned char *bytes, size_t size)
{
    struct df_image image;
    const char *path = scratch_path(file->name);

    scratch_write(file->name, bytes, size);
    df_error_set("%s", "");
    if (df_mask_read(path, &image) != 0)
        assert_error_has(file->name);
    df_image_free(&image);
    df_error_set("%s", "");
    const int status = df_image_read(path, &file->reading, &image);
    if (status != 0)
        assert_error_has(file->name);
    df_image_free(&image);
    return status;
}

static void changed_bytes(void **state)
{
    struct good_file file;
    struct df_rng rng;
    size_t size;

    for (size_t i = 0; i < GOLDENS + FORMATS; i++) {
        if (!find_file(i, &file))
            continue;
        unsigned char *good = read_whole(file.path, &size);
        unsigned char *bad = malloc(size);
        assert_non_null(bad);
        df_rng_seed(&rng, 1, i);
        for (int round = 0; round < (i < GOLDENS ? 60 : 12); round++) {
            /* Half of the rounds in the header, where most of the decisions are. */
            size_t range = round % 2 && size > 64 ? 64 : size;
            memcpy(bad, good, size);
            for (uint64_t k = df_rng_below(&rng, 4) + 1; k > 0; k--)
                bad[df_rng_below(&rng, range)] = (unsigned char)df_rng_u64(&rng);
            try_to_read(&file, bad, size);
        }
        free(bad);
        free(good);
    }
}

/* Whether something stands behind the pixels: an end without which all of them are there, a second
 * page, bands that nobody asked for. */
static bool has_a_tail(const char *name)
{
    static const char *const names[] = {"part.gif",      "animated.gif", "pages.tif",
                                        "thumbnail.tif", "overview.tif", "bands.tif"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static void cut_files(void **state)
{
    struct good_file file;
    size_t size;

    for (size_t i = 0; i < GOLDENS + FORMATS; i++) {
        if (!find_file(i, &file))
            continue;
        unsigned char *good = read_whole(file.path, &size);
        for (size_t part = 0; part < 20; part++) {
            if (try_to_read(&file, good, size * part / 20) == 0 && !has_a_tail(file.name))
                fail_msg("%s was read although only %zu twentieths are there", file.name, part);
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
