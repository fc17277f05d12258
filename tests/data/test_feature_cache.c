/* The feature cache: what goes in comes out, and nothing of a file is believed. */
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/feature_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RECORD 45 /* bytes: two features of 16, 13 labels */
#define COUNT  5
#define KEY    0x1234567890abcdefu

static const struct df_feature_shape shape = {
    .count = COUNT, .n_features = 2, .feature_bytes = 16, .label_bytes = 13};

static void fill_record(unsigned char record[RECORD], int i)
{
    for (int k = 0; k < RECORD; k++)
        record[k] = (unsigned char)(50 * i + k);
}

static void append(struct df_feature_cache *cache, int from, int to)
{
    unsigned char record[RECORD];
    for (int i = from; i < to; i++) {
        fill_record(record, i);
        assert_int_equal(df_feature_cache_append(cache, record), 0);
    }
}

static void check_record(const struct df_feature_cache *cache, int i)
{
    unsigned char expected[RECORD], buffer[RECORD];
    fill_record(expected, i);
    const void *record = df_feature_cache_record(cache, i, buffer);
    assert_works(record);
    assert_memory_equal(record, expected, RECORD);
}

static void check_records(const struct df_feature_cache *cache)
{
    static const int order[COUNT] = {3, 0, 4, 1, 2};
    for (int i = 0; i < COUNT; i++) {
        df_feature_cache_expect(cache, order[i]);
        check_record(cache, order[i]);
    }
}

static struct df_feature_cache *new_file(const char *path)
{
    struct df_feature_cache *cache = df_feature_cache_in_file(path, &shape, KEY);
    assert_works(cache);
    return cache;
}

/* A finished file. */
static const char *write_file(const char *name)
{
    const char *path = scratch_path(name);
    struct df_feature_cache *cache = new_file(path);
    append(cache, 0, COUNT);
    assert_int_equal(df_feature_cache_finish(cache), 0);
    df_feature_cache_free(cache);
    return path;
}

static enum df_feature_file state_of(const char *path)
{
    struct df_feature_cache *cache;
    enum df_feature_file state = df_feature_cache_open(path, &shape, KEY, &cache);
    assert_int_equal(cache != NULL, state == DF_FEATURE_FILE_WHOLE);
    df_feature_cache_free(cache);
    return state;
}

static int files_in_scratch(const char *folder)
{
    char command[256];
    int count = -1;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", scratch_path(folder));
    FILE *stream = popen(command, "r");
    assert_int_equal(fscanf(stream, "%d", &count), 1);
    pclose(stream);
    return count;
}

static void memory_gives_back_what_it_was_given(void **state)
{
    struct df_feature_cache *cache = df_feature_cache_in_memory(&shape);
    assert_int_equal(df_feature_cache_record_bytes(cache), RECORD);
    assert_false(df_feature_cache_is_finished(cache));
    append(cache, 0, COUNT);
    assert_int_equal(df_feature_cache_finish(cache), 0);
    assert_true(df_feature_cache_is_finished(cache));
    check_records(cache);
    df_feature_cache_free(cache);
}

static void a_file_gives_back_what_it_was_given(void **state)
{
    const char *path = scratch_path("whole/a.cache");
    struct df_feature_cache *cache = new_file(path);
    append(cache, 0, COUNT);
    assert_int_equal(df_feature_cache_finish(cache), 0);
    check_records(cache);
    df_feature_cache_free(cache);

    assert_int_equal(df_feature_cache_open(path, &shape, KEY, &cache), DF_FEATURE_FILE_WHOLE);
    assert_true(df_feature_cache_is_finished(cache));
    check_records(cache);
    df_feature_cache_free(cache);
}

static void an_unfinished_file_leaves_nothing(void **state)
{
    const char *path = scratch_path("unfinished/a.cache");
    struct df_feature_cache *cache = new_file(path);
    append(cache, 0, COUNT - 1);
    df_feature_cache_free(cache);
    assert_int_equal(state_of(path), DF_FEATURE_FILE_ABSENT);
    assert_int_equal(files_in_scratch("unfinished"), 0);
}

static void an_unfinished_file_leaves_the_old_one(void **state)
{
    const char *path = write_file("old/a.cache");
    struct df_feature_cache *cache = df_feature_cache_in_file(path, &shape, KEY + 1);
    append(cache, 0, 2);
    df_feature_cache_free(cache);
    assert_int_equal(state_of(path), DF_FEATURE_FILE_WHOLE);
    assert_int_equal(files_in_scratch("old"), 1);
}

static void another_key_is_stale(void **state)
{
    struct df_feature_cache *cache;
    const char *path = write_file("key.cache");
    assert_int_equal(df_feature_cache_open(path, &shape, KEY ^ 1, &cache), DF_FEATURE_FILE_STALE);
    assert_null(cache);
    assert_error_has("key.cache holds the features of another backbone");
}

static void another_shape_is_stale(void **state)
{
    const char *path = write_file("shape.cache");
    for (int i = 0; i < 4; i++) {
        struct df_feature_shape other = shape;
        struct df_feature_cache *cache;
        other.count += i == 0;
        other.n_features += i == 1;
        other.feature_bytes += i == 2;
        other.label_bytes += i == 3;
        assert_int_equal(df_feature_cache_open(path, &other, KEY, &cache), DF_FEATURE_FILE_STALE);
        assert_null(cache);
    }
}

static void every_wrong_byte_is_noticed(void **state)
{
    size_t size;
    unsigned char *bytes = read_whole(write_file("damaged.cache"), &size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x10;
        scratch_write("damaged.cache", bytes, size);
        bytes[i] ^= 0x10;
        const enum df_feature_file found = state_of(scratch_path("damaged.cache"));
        assert_int_equal(found, i < 8 ? DF_FEATURE_FILE_FOREIGN : DF_FEATURE_FILE_DAMAGED);
    }
    scratch_write("damaged.cache", bytes, size);
    assert_int_equal(state_of(scratch_path("damaged.cache")), DF_FEATURE_FILE_WHOLE);
    free(bytes);
}

static void every_missing_byte_is_noticed(void **state)
{
    size_t size;
    unsigned char *bytes = read_whole(write_file("cut.cache"), &size);
    for (size_t length = 0; length < size; length++) {
        scratch_write("cut.cache", bytes, length);
        const enum df_feature_file found = state_of(scratch_path("cut.cache"));
        assert_int_equal(found, length < 64 ? DF_FEATURE_FILE_FOREIGN : DF_FEATURE_FILE_DAMAGED);
    }
    bytes = realloc(bytes, size + 1);
    bytes[size] = 0;
    scratch_write("cut.cache", bytes, size + 1);
    assert_int_equal(state_of(scratch_path("cut.cache")), DF_FEATURE_FILE_DAMAGED);
    free(bytes);
}

static void records_swapped_in_a_file_are_another_thing(void **state)
{
    size_t size;
    const size_t stored = RECORD + 8;
    unsigned char *bytes = read_whole(write_file("swapped.cache"), &size), kept[RECORD + 8];
    memcpy(kept, bytes + 64, stored);
    memcpy(bytes + 64, bytes + 64 + stored, stored);
    memcpy(bytes + 64 + stored, kept, stored);
    scratch_write("swapped.cache", bytes, size);
    assert_int_equal(state_of(scratch_path("swapped.cache")), DF_FEATURE_FILE_DAMAGED);
    free(bytes);
}

static void what_is_no_feature_file_is_foreign(void **state)
{
    scratch_write_text("notes.txt",
                       "this is a text, and it is long enough to hold what a header would: 0123456789");
    assert_int_equal(state_of(scratch_path("notes.txt")), DF_FEATURE_FILE_FOREIGN);
    assert_error_has("notes.txt is there already and is no feature file");
    assert_int_equal(state_of(scratch_path("")), DF_FEATURE_FILE_FOREIGN);
    assert_error_has("not a regular file");
}

static void damage_during_a_run_is_an_error(void **state)
{
    struct df_feature_cache *cache;
    unsigned char buffer[RECORD];
    const char *path = write_file("later.cache");
    assert_int_equal(df_feature_cache_open(path, &shape, KEY, &cache), DF_FEATURE_FILE_WHOLE);
    FILE *stream = fopen(path, "r+b");
    fseek(stream, 64 + 2 * (RECORD + 8) + 20, SEEK_SET);
    fputc(0xff, stream);
    fclose(stream);
    check_record(cache, 1);
    assert_null(df_feature_cache_record(cache, 2, buffer));
    assert_error_has("later.cache is damaged: record 2 of 5");
    check_record(cache, 3);
    df_feature_cache_free(cache);
}

static void sizes_that_no_machine_has_are_refused(void **state)
{
    struct df_feature_shape huge = shape;
    size_t record, all;
    huge.count = INT64_MAX / 4;
    assert_false(df_feature_bytes(&huge, &record, &all));
    assert_null(df_feature_cache_in_memory(&huge));
    assert_error_has("too large");
    huge.count = 1;
    huge.feature_bytes = SIZE_MAX / 2 + 1;
    assert_false(df_feature_bytes(&huge, &record, &all));
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    assert_null(df_feature_cache_in_file("nowhere/at/all.cache", &shape, KEY));
    assert_error_has("nowhere/at/all.cache");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_gives_back_what_it_was_given),
        cmocka_unit_test(a_file_gives_back_what_it_was_given),
        cmocka_unit_test(an_unfinished_file_leaves_nothing),
        cmocka_unit_test(an_unfinished_file_leaves_the_old_one),
        cmocka_unit_test(another_key_is_stale),
        cmocka_unit_test(another_shape_is_stale),
        cmocka_unit_test(every_wrong_byte_is_noticed),
        cmocka_unit_test(every_missing_byte_is_noticed),
        cmocka_unit_test(records_swapped_in_a_file_are_another_thing),
        cmocka_unit_test(what_is_no_feature_file_is_foreign),
        cmocka_unit_test(damage_during_a_run_is_an_error),
        cmocka_unit_test(sizes_that_no_machine_has_are_refused),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
