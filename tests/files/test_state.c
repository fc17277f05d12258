#include "files/file_support.h"
#include "support/scratch.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t pair[] = {2, 3};
static const float six[] = {1, 2, 3, 4, 5, 6};

static void appends_and_finds(void **unused)
{
    struct df_state *state = df_state_new();
    float *owned = malloc(sizeof six);
    memcpy(owned, six, sizeof six);
    assert_non_null(df_state_adopt(state, "adopted", DF_F32, 2, pair, owned));
    assert_non_null(df_state_copy(state, "copied", DF_F32, 2, pair, six));
    assert_non_null(df_state_borrow(state, "borrowed", DF_F32, 2, pair, six));
    assert_non_null(df_state_borrow(state, "scalar", DF_F32, 0, NULL, six));
    assert_non_null(df_state_add_text(state, "text", "something"));
    assert_int_equal(state->count, 5);

    const struct df_entry *copied = df_state_find(state, "copied");
    assert_non_null(copied);
    assert_ptr_not_equal(copied->tensor.data, six);
    assert_memory_equal(copied->tensor.data, six, sizeof six);
    assert_int_equal(copied->tensor.count, 6);
    assert_ptr_equal(df_state_find(state, "borrowed")->tensor.data, six);
    assert_int_equal(df_state_find(state, "scalar")->tensor.count, 1);
    const struct df_entry *text = df_state_find(state, "text");
    assert_string_equal(text->text, "something");
    assert_int_equal(text->tensor.count, 0);
    assert_null(text->tensor.data);
    assert_null(df_state_find(state, "absent"));
    df_state_free(state);
    df_state_free(NULL);
}

static void keeps_many_in_order(void **unused)
{
    struct df_state *state = df_state_new();
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_non_null(df_state_copy(state, name, DF_F32, 2, pair, six));
    }
    assert_string_equal(state->entries[999].name, "t999");
    assert_ptr_equal(df_state_find(state, "t500"), &state->entries[500]);
    df_state_free(state);
}

static void refuses(void **unused)
{
    static const int64_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[] = {INT64_MAX, 3}, negative[] = {-1};
    struct df_state *state = df_state_new();
    assert_non_null(df_state_borrow(state, "a", DF_F32, 2, pair, six));
    assert_null(df_state_borrow(state, "a", DF_F32, 2, pair, six));
    assert_string_equal(df_error_text(), "a is there twice");
    assert_null(df_state_add_text(state, "a", "text"));
    assert_null(df_state_adopt(state, "a", DF_F32, 2, pair, malloc(sizeof six)));
    assert_null(df_state_borrow(state, "b\n", DF_F32, 9, nine, six));
    assert_string_equal(df_error_text(), "b? has 9 dimensions, at most 8 are supported");
    assert_null(df_state_borrow(state, "b", DF_F32, 2, huge, six));
    assert_string_equal(df_error_text(), "b has the impossible shape [9223372036854775807, 3]");
    assert_null(df_state_copy(state, "b", DF_F32, 1, negative, six));
    assert_int_equal(state->count, 1);
    df_state_free(state);
}

static void writes_shapes(void **unused)
{
    char buffer[DF_SHAPE_TEXT_MAX];
    int64_t longest[DF_MAX_DIMS];
    assert_string_equal(df_shape_text(pair, 2, buffer), "[2, 3]");
    assert_string_equal(df_shape_text(pair, 0, buffer), "[]");
    for (int i = 0; i < DF_MAX_DIMS; i++)
        longest[i] = INT64_MIN;
    df_shape_text(longest, DF_MAX_DIMS, buffer);
    assert_int_equal(buffer[strlen(buffer) - 1], ']');
}

static void maps_files(void **unused)
{
    struct df_mapping *mapping = open_or_fail(scratch_write("some", "bytes", 5));
    assert_int_equal(mapping->size, 5);
    assert_memory_equal(mapping->bytes, "bytes", 5);
    df_mapping_close(mapping);
    mapping = open_or_fail(scratch_write("none", "", 0));
    assert_int_equal(mapping->size, 0);
    df_mapping_close(mapping);
    df_mapping_close(NULL);

    assert_null(df_mapping_open("/nonexistent/file"));
    assert_string_equal(df_error_text(), "cannot open /nonexistent/file: No such file or directory");
    assert_null(df_mapping_open("/"));
    assert_string_equal(df_error_text(), "cannot open /: it is a folder");
    assert_null(df_mapping_open("/dev/null"));
    assert_string_equal(df_error_text(), "cannot open /dev/null: it is not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_finds), cmocka_unit_test(keeps_many_in_order), cmocka_unit_test(refuses),
        cmocka_unit_test(writes_shapes),     cmocka_unit_test(maps_files),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
