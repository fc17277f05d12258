/* JSON: one document of every kind of value, numbers that come back as the same bits, strings that are UTF-8,
 * and no document at all when memory runs out at any place. */
#include "file_support.h"
#include "support/allocations.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/rng.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void build(struct df_json *json)
{
    df_json_object(json, NULL);
    df_json_text(json, "text", "say \"\xe4\xba\xba\"\n");
    df_json_text(json, "nothing", NULL);
    df_json_array(json, "numbers");
    df_json_number(json, NULL, 0.1);
    df_json_number(json, NULL, NAN);
    df_json_exact(json, NULL, 0.1 + 0.2);
    df_json_integer(json, NULL, INT64_MIN);
    df_json_close(json);
    df_json_array(json, "rows");
    for (int i = 0; i < 2; i++) {
        df_json_object(json, NULL);
        df_json_bool(json, "odd", i == 1);
        df_json_null(json, "null");
        df_json_close(json);
    }
    df_json_close(json);
    df_json_close(json);
}

static const char in_one_line[] = "{\"text\":\"say \\\"\xe4\xba\xba\\\"\\n\",\"nothing\":null,"
                                  "\"numbers\":[0.1,null,0.30000000000000004,-9223372036854775808],"
                                  "\"rows\":[{\"odd\":false,\"null\":null},{\"odd\":true,\"null\":null}]}";

static const char indented[] = "{\n\t\"text\":\t\"say \\\"\xe4\xba\xba\\\"\\n\",\n\t\"nothing\":\tnull,\n"
                               "\t\"numbers\":\t[0.1, null, 0.30000000000000004, -9223372036854775808],\n"
                               "\t\"rows\":\t[{\n\t\t\t\"odd\":\tfalse,\n\t\t\t\"null\":\tnull\n\t\t}, {\n"
                               "\t\t\t\"odd\":\ttrue,\n\t\t\t\"null\":\tnull\n\t\t}]\n}\n";

static void documents_are_printed(void **state)
{
    struct df_json json = {0};
    build(&json);
    char *text = df_json_print(&json, "a document");
    assert_string_equal(text, in_one_line);
    free(text);
}

static void documents_are_written(void **state)
{
    struct df_json json = {0};
    build(&json);
    assert_int_equal(df_json_write(&json, scratch_path("written.json")), 0);
    struct df_mapping *file = open_or_fail(scratch_path("written.json"));
    assert_int_equal(file->size, strlen(indented));
    assert_memory_equal(file->bytes, indented, file->size);
    df_mapping_close(file);
}

/* Each call that wants memory fails once. */
static void documents_are_whole_or_an_error(void **state)
{
    long calls = 0, tried = 0;
    if (!allocations_can_be_counted())
        skip();
    for (long n = 0; n <= calls; n++, tried++) {
        struct df_json json = {0};
        df_error_set("an earlier error");
        allocations_fail(n, 1);
        build(&json);
        char *text = df_json_print(&json, "a document");
        calls = allocations_end_failing();
        if (n < calls) {
            assert_null(text);
            assert_string_equal(df_error_text(), "out of memory: a document");
        } else {
            assert_string_equal(text, in_one_line);
        }
        free(text);
    }
    assert_in_range(tried, 20, 400);
}

static void files_are_whole_or_an_error(void **state)
{
    const char *path = scratch_write("kept.json", "old", 3);
    const int files = scratch_count();
    long calls = 0;
    if (!allocations_can_be_counted())
        skip();
    for (long n = 0; n <= calls; n++) {
        struct df_json json = {0};
        df_error_set("an earlier error");
        allocations_fail(n, 1);
        build(&json);
        const int status = df_json_write(&json, path);
        calls = allocations_end_failing();
        struct df_mapping *file = open_or_fail(path);
        if (status != 0) {
            assert_true(n < calls);
            assert_error_has("memory");
            assert_int_equal(file->size, 3);
        } else {
            assert_int_equal(file->size, strlen(indented));
            scratch_write("kept.json", "old", 3);
        }
        df_mapping_close(file);
        assert_int_equal(scratch_count(), files);
    }
}

/* The only value of a document, which finish() frees. */
static char *value_text(struct df_json *json)
{
    char *text = df_json_print(json, "a value");
    assert_non_null(text);
    return text;
}

/* The number as it is read back from its text. */
static double round_trip(double value)
{
    struct df_json json = {0};
    df_json_exact(&json, NULL, value);
    char *text = value_text(&json);
    cJSON *node = cJSON_Parse(text);
    assert_true(cJSON_IsNumber(node));
    const double again = node->valuedouble;
    cJSON_Delete(node);
    free(text);
    return again;
}

static void exact_numbers_come_back(void **state)
{
    struct df_rng rng;
    df_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 10000; i++) {
        const double value = df_rng_double(&rng) * (i % 2 ? 1.0 : 1e-9);
        assert_true(round_trip(value) == value);
    }
    assert_true(round_trip(0.1 + 0.2) == 0.1 + 0.2);
    assert_true(round_trip(5e-324) == 5e-324);
    assert_true(round_trip(0.0) == 0.0);
}

static void exact_numbers_are_short_where_they_can_be(void **state)
{
    struct df_json json = {0};
    df_json_exact(&json, NULL, 0.6342);
    char *text = value_text(&json);
    assert_string_equal(text, "0.6342");
    free(text);
}

static void what_is_no_number_is_null(void **state)
{
    const double values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 6; i++) {
        struct df_json json = {0};
        (i < 3 ? df_json_exact : df_json_number)(&json, NULL, values[i % 3]);
        char *text = value_text(&json);
        assert_string_equal(text, "null");
        free(text);
    }
}

static void strings_become_utf8(void **state)
{
    static const char *const pairs[][2] = {{"plain \"text\"", "plain \"text\""},
                                           {"\xe4\xba\xba", "\xe4\xba\xba"},
                                           {"caf\xe9", "caf\\xE9"},
                                           {"\xff\xfe"
                                            "a",
                                            "\\xFF\\xFEa"},
                                           {"\xed\xa0\x80", "\\xED\\xA0\\x80"},
                                           {"a\\xE9", "a\\xE9"},
                                           {"", ""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct df_json json = {0};
        df_json_text(&json, NULL, pairs[i][0]);
        char *text = value_text(&json);
        assert_true(df_text_is_utf8(text, strlen(text)));
        cJSON *node = cJSON_Parse(text);
        assert_string_equal(cJSON_GetStringValue(node), pairs[i][1]);
        cJSON_Delete(node);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_printed),
        cmocka_unit_test(documents_are_written),
        cmocka_unit_test(documents_are_whole_or_an_error),
        cmocka_unit_test(files_are_whole_or_an_error),
        cmocka_unit_test(exact_numbers_come_back),
        cmocka_unit_test(exact_numbers_are_short_where_they_can_be),
        cmocka_unit_test(what_is_no_number_is_null),
        cmocka_unit_test(strings_become_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
