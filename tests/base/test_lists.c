/* Lists in texts: of a mask's values, and of names that are too many for a line. */
#include "support/errors.h"

#include "dinoft/error.h"
#include "dinoft/mask_values.h"
#include "dinoft/name_list.h"

#include <stdio.h>
#include <string.h>

static void mask_values_are_read(void **state)
{
    struct df_mask_values values;
    char text[DF_MASK_VALUES_TEXT_MAX];
    size_t used = 0;

    assert_int_equal(df_mask_values_parse("255,0,7", &values), 0);
    assert_int_equal(values.count, 3);
    assert_int_equal(values.values[0], 255);
    assert_int_equal(values.values[1], 0);
    assert_int_equal(values.values[2], 7);
    for (int i = 0; i < DF_MAX_CLASSES; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%d", i > 0 ? "," : "", DF_MAX_CLASSES - i);
    assert_true(used < sizeof text - 1);
    assert_int_equal(df_mask_values_parse(text, &values), 0);
    assert_int_equal(values.count, DF_MAX_CLASSES);
    assert_int_equal(values.values[DF_MAX_CLASSES - 1], 1);
    snprintf(text + used, sizeof text - used, ",0");
    assert_int_equal(df_mask_values_parse(text, &values), -1);
    assert_error_has("more than 255");
}

static void other_texts_are_refused(void **state)
{
    static const char *const wrong[] = {"",    ",",  "0,",    ",0",   "0,,1", "0, 1",     "a",   "0;255",
                                        "256", "-1", "0,1.5", "0000", "0-3",  "0,1,2...", "1..3"};
    struct df_mask_values values;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        df_error_set("%s", "");
        assert_int_equal(df_mask_values_parse(wrong[i], &values), -1);
        if (!strstr(df_error_text(), "numbers from 0 to 255") || !strstr(df_error_text(), wrong[i]))
            fail_msg("'%s': %s", wrong[i], df_error_text());
    }
    assert_int_equal(df_mask_values_parse("3,0,3", &values), -1);
    assert_string_equal(df_error_text(), "3 is listed twice: '3,0,3'");
}

static void the_first_names_are_listed(void **state)
{
    struct df_name_list list = {.most = 2};

    assert_string_equal(list.text, "");
    df_name_list_add(&list, "%s", "a");
    assert_string_equal(list.text, "a");
    df_name_list_add(&list, "%s-%d", "b", 3);
    assert_string_equal(list.text, "a, b-3");
    for (int i = 0; i < 5; i++)
        df_name_list_add(&list, "c");
    assert_string_equal(list.text, "a, b-3, ...");
    assert_int_equal(list.count, 7);
    assert_int_equal(list.named, 2);
}

static void names_that_do_not_fit(void **state)
{
    struct df_name_list list = {.most = 100};
    char name[2 * sizeof list.text];

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    df_name_list_add(&list, "%s", name); /* the first is always there, if only its beginning */
    assert_int_equal(strncmp(list.text, name, strlen(list.text)), 0);
    assert_true(strlen(list.text) > sizeof list.text / 2);
    for (int i = 0; i < 3; i++)
        df_name_list_add(&list, "%s", "other");
    assert_string_equal(list.text + strlen(list.text) - 6, "n, ...");
    assert_int_equal(list.count, 4);

    list = (struct df_name_list){.most = 1000};
    for (int i = 0; i < 1000; i++)
        df_name_list_add(&list, "%d", 100 + i);
    assert_int_equal(strncmp(list.text, "100, 101, 102, ", 15), 0);
    assert_string_equal(list.text + strlen(list.text) - 5, ", ...");
    assert_true(list.named > 50 && list.named < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mask_values_are_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_first_names_are_listed),
        cmocka_unit_test(names_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
