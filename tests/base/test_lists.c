/* Lists in texts: of a mask's values, and of names that are too many for a line. */
#include "support/errors.h"

#include "dinoft/error.h"
#include "dinoft/mask_values.h"
#include "dinoft/name_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_item(const struct df_mask_values *values, size_t i, uint32_t value, int label)
{
    assert_true(i < values->n_items);
    assert_int_equal(values->items[i].value, value);
    assert_int_equal(values->items[i].label, label);
}

static void mask_values_are_read(void **state)
{
    struct df_mask_values values;
    char text[2048];
    size_t used = 0;

    assert_int_equal(df_mask_values_parse("255,0,7", &values), 0);
    assert_int_equal(values.count, 3);
    assert_item(&values, 0, 255, 0);
    assert_item(&values, 1, 0, 1);
    assert_item(&values, 2, 7, 2);
    df_mask_values_free(&values);
    for (int i = 0; i < DF_MAX_CLASSES; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%d", i > 0 ? "," : "", DF_MAX_CLASSES - i);
    assert_true(used < sizeof text - 1);
    assert_int_equal(df_mask_values_parse(text, &values), 0);
    assert_int_equal(values.count, DF_MAX_CLASSES);
    assert_item(&values, DF_MAX_CLASSES - 1, 1, DF_MAX_CLASSES - 1);
    df_mask_values_free(&values);
    snprintf(text + used, sizeof text - used, ",0");
    assert_int_equal(df_mask_values_parse(text, &values), -1);
    assert_error_has("more than 255");
    df_mask_values_free(&values);
}

static void ranges_and_groups_are_read(void **state)
{
    struct df_mask_values values;

    assert_int_equal(df_mask_values_parse("9,3..5,0+65535+10..11", &values), 0);
    assert_int_equal(values.source, DF_SOURCE_VALUES);
    assert_int_equal(values.count, 5);
    assert_int_equal(values.n_items, 8);
    assert_item(&values, 3, 5, 3);
    assert_item(&values, 5, 65535, 4);
    assert_item(&values, 7, 11, 4);
    assert_int_equal(df_mask_values_ignore(&values, "20..21,1"), 0);
    assert_item(&values, 9, 21, DF_IGNORE_LABEL);
    assert_int_equal(df_mask_values_ignore(&values, "none"), 0);
    assert_int_equal(values.n_items, 11);
    assert_int_equal(df_mask_values_ignore(&values, "4"), -1);
    assert_error_has("4 is a class, or listed twice");
    df_mask_values_free(&values);

    assert_int_equal(df_mask_values_parse("#000000,#FF0080+#0a0B0c", &values), 0);
    assert_int_equal(values.source, DF_SOURCE_COLORS);
    assert_item(&values, 1, 0xff0080, 1);
    assert_item(&values, 2, 0x0a0b0c, 1);
    df_mask_values_free(&values);

    assert_int_equal(df_mask_values_parse("the road/,2 cars/+bus/", &values), 0);
    assert_int_equal(values.source, DF_SOURCE_FOLDERS);
    assert_int_equal(values.count, 2);
    assert_string_equal(values.items[1].folder, "2 cars");
    assert_int_equal(values.items[2].label, 1);
    df_mask_values_free(&values);

    assert_int_equal(df_mask_values_parse("cityscapes", &values), 0);
    assert_int_equal(values.count, 19);
    assert_item(&values, 18, 33, 18);
    assert_int_equal(df_mask_values_ignore(&values, df_mask_values_ignored_with("cityscapes")), 0);
    assert_int_equal(values.n_items, 34 + 1);
    df_mask_values_free(&values);
}

/* What is written reads as the same. */
static void lists_are_written(void **state)
{
    static const struct {
        const char *classes, *ignored, *written;
    } cases[] = {{"255,0,7", "none", "255,0,7"},
                 {"1..19", "0,255", "1..19"},
                 {"0,1,2,3", "255", "0,1,2,3"},
                 {"0,1,2,3,4,9+5+6..8,10", "255", "0..4,9+5+6+7+8,10"},
                 {"4+5..10,11,12", "1..3,255", "4+5..10,11,12"},
                 {"0,1,2,3,4,5+6", "none", "0..4,5+6"},
                 {"#0000ff,#000000+#000001", "#ffffff", "#0000ff,#000000+#000001"},
                 {"a/,b/+c/", "d/", "a/,b/+c/"}};
    struct df_mask_values values;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(df_mask_values_parse(cases[i].classes, &values), 0);
        assert_int_equal(df_mask_values_ignore(&values, cases[i].ignored), 0);
        char *classes = df_mask_values_text(&values, false), *ignored = df_mask_values_text(&values, true);
        assert_string_equal(classes, cases[i].written);
        assert_string_equal(ignored,
                            strcmp(cases[i].ignored, "1..3,255") == 0 ? "1,2,3,255" : cases[i].ignored);
        free(classes);
        free(ignored);
        df_mask_values_free(&values);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const wrong[] = {"",      ",",    "0,",    ",0",      "0,,1",     "0, 1",    "a",
                                        "0;255", "-1",   "0,1.5", "000000",  "0-3",      "0,1,2..", "3..1",
                                        "65536", "0++1", "0+",    "#12345",  "#1234567", "#12345g", "/",
                                        "a/b/",  "..3",  "0...3", "1..65536"};
    struct df_mask_values values;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        df_error_set("%s", "");
        assert_int_equal(df_mask_values_parse(wrong[i], &values), -1);
        df_mask_values_free(&values);
        if (!strstr(df_error_text(), "numbers from 0 to 65535") || !strstr(df_error_text(), wrong[i]))
            fail_msg("'%s': %s", wrong[i], df_error_text());
    }
    assert_int_equal(df_mask_values_parse("3,0,3", &values), -1);
    assert_string_equal(df_error_text(), "3 is listed twice: '3,0,3'");
    df_mask_values_free(&values);
    assert_int_equal(df_mask_values_parse("3,a/", &values), -1);
    assert_error_has("not of one list");
    df_mask_values_free(&values);
    assert_int_equal(df_mask_values_parse("0..300", &values), -1);
    assert_error_has("more than 255 classes");
    df_mask_values_free(&values);
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
        cmocka_unit_test(mask_values_are_read),       cmocka_unit_test(ranges_and_groups_are_read),
        cmocka_unit_test(lists_are_written),          cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_first_names_are_listed), cmocka_unit_test(names_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
