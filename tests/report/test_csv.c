#include "support/cmocka_all.h"
#include "support/markup.h"

#include "dinoft/csv.h"

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
    (void)state;
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

static void numbers_and_gaps(void **state)
{
    FILE *stream = tmpfile();
    (void)state;
    df_csv_number(stream, 1.0 / 3.0);
    fputs(",", stream);
    df_csv_number(stream, NAN);
    fputs(",", stream);
    df_csv_number(stream, 0.0);
    char *line = page_text(stream);
    assert_string_equal(line, "0.333333333,,0");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_quoted_where_it_must_be),
        cmocka_unit_test(numbers_and_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
