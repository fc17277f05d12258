/* Features that a command keeps: in memory or in a file, the same come back, and no file is left. */
#include "data/scratch.h"
#include "support/cmocka_all.h"

#include "dinoft/kept_features.h"
#include "dinoft/error.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

enum { IMAGES = 5, VALUES = 12 };

#define BYTES (VALUES * sizeof(float))

static int files_in_scratch(void)
{
    DIR *folder = opendir(scratch_folder());
    int count = 0;

    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.' || (entry->d_name[1] != '\0' && entry->d_name[1] != '.');
    closedir(folder);
    return count;
}

static void append(struct df_kept_features *features, int images)
{
    for (int i = 0; i < images; i++) {
        float values[VALUES];
        for (int k = 0; k < VALUES; k++)
            values[k] = (float)(100 * i + k);
        assert_int_equal(df_feature_cache_append(features->cache, values), 0);
    }
}

/* Read from the last to the first. */
static void check(const struct df_kept_features *features)
{
    for (int i = IMAGES - 1; i >= 0; i--) {
        const float *values = df_kept_features_of(features, i);
        assert_non_null(values);
        for (int k = 0; k < VALUES; k++)
            assert_true(values[k] == (float)(100 * i + k));
    }
}

static void in_memory(void **state)
{
    struct df_kept_features features;

    (void)state;
    assert_int_equal(df_kept_features_open(&features, IMAGES, BYTES, SIZE_MAX, scratch_folder()), 0);
    append(&features, IMAGES);
    assert_int_equal(files_in_scratch(), 0);
    assert_int_equal(df_feature_cache_finish(features.cache), 0);
    check(&features);
    df_kept_features_close(&features);
}

static void in_a_file(void **state)
{
    struct df_kept_features features;

    (void)state;
    assert_int_equal(df_kept_features_open(&features, IMAGES, BYTES, IMAGES * BYTES - 1, scratch_folder()),
                     0);
    assert_int_equal(files_in_scratch(), 0); /* however the program ends from here on */
    append(&features, IMAGES);
    assert_int_equal(df_feature_cache_finish(features.cache), 0);
    check(&features);
    df_kept_features_close(&features);
}

static void an_unfinished_file_leaves_nothing(void **state)
{
    struct df_kept_features features;

    (void)state;
    assert_int_equal(df_kept_features_open(&features, IMAGES, BYTES, 0, scratch_folder()), 0);
    append(&features, IMAGES - 2);
    df_kept_features_close(&features);
    assert_int_equal(files_in_scratch(), 0);
}

static void no_room_anywhere(void **state)
{
    struct df_kept_features features;

    (void)state;
    assert_int_equal(df_kept_features_open(&features, INT64_MAX, BYTES, SIZE_MAX, scratch_folder()), -1);
    assert_error_has("too large");
    df_kept_features_close(&features);
    assert_int_equal(df_kept_features_open(&features, IMAGES, BYTES, 0, scratch_path("missing/folder")), -1);
    assert_error_has("missing");
    df_kept_features_close(&features);
}

static int clean_up(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_memory),
        cmocka_unit_test(in_a_file),
        cmocka_unit_test(an_unfinished_file_leaves_nothing),
        cmocka_unit_test(no_room_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
