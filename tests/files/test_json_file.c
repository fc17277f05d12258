/* JSON: numbers that come back as the same bits, strings that are UTF-8. */
#include "support/cmocka_all.h"

#include "dinoft/json_file.h"
#include "dinoft/rng.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

/* The number as it is read back from its text. */
static double round_trip(double value)
{
    char text[64];
    cJSON *node = df_json_exact(value);
    assert_true(cJSON_PrintPreallocated(node, text, sizeof text, 0));
    cJSON_Delete(node);
    node = cJSON_Parse(text);
    assert_true(cJSON_IsNumber(node));
    const double again = node->valuedouble;
    cJSON_Delete(node);
    return again;
}

static void exact_numbers_come_back(void **state)
{
    struct df_rng rng;
    (void)state;
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
    char text[64];
    (void)state;
    cJSON *node = df_json_exact(0.6342);
    assert_true(cJSON_PrintPreallocated(node, text, sizeof text, 0));
    assert_string_equal(text, "0.6342");
    cJSON_Delete(node);
}

static void what_is_no_number_is_null(void **state)
{
    (void)state;
    const double values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        cJSON *node = df_json_exact(values[i]);
        assert_true(cJSON_IsNull(node));
        cJSON_Delete(node);
    }
}

static void strings_become_utf8(void **state)
{
    static const char *const pairs[][2] = {{"plain \"text\"", "plain \"text\""},
                                           {"\xe4\xba\xba", "\xe4\xba\xba"},
                                           {"caf\xe9", "caf\xef\xbf\xbd"},
                                           {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
                                           {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cJSON *node = df_json_text(pairs[i][0]);
        assert_string_equal(cJSON_GetStringValue(node), pairs[i][1]);
        cJSON_Delete(node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_numbers_come_back),
        cmocka_unit_test(exact_numbers_are_short_where_they_can_be),
        cmocka_unit_test(what_is_no_number_is_null),
        cmocka_unit_test(strings_become_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
