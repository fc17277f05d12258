/* Every fixture, cut and with random bytes changed, hundreds of times: it decodes or it is refused with a
 * text, and under the sanitizers nothing else happens. */
#include "data/goldens.h"
#include "data/scratch.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"
#include "support/cmocka_all.h"

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
    if (df_image_read(path, &image) != 0)
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

    (void)state;
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

    (void)state;
    for (size_t i = 0; i < GOLDENS; i++) {
        unsigned char *good = fixture(i, &size);
        for (size_t part = 0; part < 20; part++) {
            try_to_read(decoded_goldens[i].file, good, size * part / 20);
            if (df_image_read(scratch_path(decoded_goldens[i].file), &image) == 0)
                fail_msg("%s was read although only %zu twentieths are there", decoded_goldens[i].file, part);
        }
        free(good);
    }
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_bytes),
        cmocka_unit_test(cut_files),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
