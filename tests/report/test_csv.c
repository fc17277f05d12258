#include "support/cmocka_all.h"
#include "support/markup.h"

#include "src/report/csv.h"

#include <math.h>
#include <stdlib.h>

static void assert_cell(const char *text, const char *expected)
{
    FILE *stream = tmpfile();
    df_csv_text(stream, text);
    char *line = page_text(stream);
    assert_string_equal(line, expected);
    free(line);
}

static void text_is_quoted_where_it_must_be(void **state)
{
    assert_cell("", "");
    assert_cell("2007_000033", "2007_000033");
    assert_cell("a b", "a b");
    assert_cell("a,b", "\"a,b\"");
    assert_cell("say \"no\"", "\"say \"\"no\"\"\"");
    assert_cell("two\nlines", "\"two\nlines\"");
    assert_cell("return\r", "\"return\r\"");
    assert_cell(" start", "\" start\"");
    assert_cell("end ", "\"end \"");
}

static void formulas_are_text(void **state)
{
    assert_cell("=1+1", "\"'=1+1\"");
    assert_cell("+a", "\"'+a\"");
    assert_cell("-2_left", "\"'-2_left\"");
    assert_cell("@SUM(A1)", "\"'@SUM(A1)\"");
    assert_cell("\ta", "\"'\ta\"");
    assert_cell("\ra", "\"'\ra\"");
    assert_cell("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"");
    assert_cell("'=1", "\"''=1\""); /* so that one apostrophe less is the text */
    assert_cell("'tis", "'tis");
    assert_cell("'", "'");
    assert_cell("a=b-c", "a=b-c");
}

static void cells_are_utf8(void **state)
{
    assert_cell("\xe4\xba\xba", "\xe4\xba\xba");
    assert_cell("caf\xe9", "caf\\xE9");
    assert_cell("\xff,", "\"\\xFF,\"");
}

static void numbers_and_gaps(void **state)
{
    FILE *stream = tmpfile();
    df_csv_number(stream, 1.0 / 3.0);
    fputs(",", stream);
    df_csv_number(stream, NAN);
    fputs(",", stream);
    df_csv_number(stream, 0.0);
    fputs(",", stream);
    df_csv_number(stream, -1.5); /* no formula */
    char *line = page_text(stream);
    assert_string_equal(line, "0.333333333,,0,-1.5");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_quoted_where_it_must_be),
        cmocka_unit_test(formulas_are_text),
        cmocka_unit_test(cells_are_utf8),
        cmocka_unit_test(numbers_and_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
