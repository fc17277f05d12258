/* Pages: what hostile text becomes, tables, pictures, and that all of it is well-formed. */
#include "support/cmocka_all.h"
#include "support/markup.h"
#include "support/scratch.h"

#include "src/report/html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISSING "\xef\xbf\xbd"

static void assert_escaped(const char *text, const char *expected)
{
    FILE *stream = tmpfile();
    df_html_text(stream, text);
    char *page = page_text(stream);
    assert_string_equal(page, expected);
    free(page);
}

static void markup_is_escaped(void **state)
{
    assert_escaped("", "");
    assert_escaped("<script>alert(\"1\" & '2')</script>",
                   "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
    assert_escaped("&lt;", "&amp;lt;");
    assert_escaped("caf\xc3\xa9 \xe4\xba\xba \xf0\x9f\x90\x91", "caf\xc3\xa9 \xe4\xba\xba \xf0\x9f\x90\x91");
}

static void what_is_no_text_is_replaced(void **state)
{
    assert_escaped("a\x01\x1b[31m\n\tb\x7f", "a" MISSING MISSING "[31m" MISSING MISSING "b" MISSING);
    assert_escaped("caf\xe9!", "caf" MISSING "!");           /* Latin-1 */
    assert_escaped("\xc0\xbc", MISSING MISSING);             /* < in too many bytes */
    assert_escaped("\xed\xa0\x80", MISSING MISSING MISSING); /* half a surrogate pair */
    assert_escaped("\xe4\xba", MISSING MISSING);             /* cut off */
    assert_escaped("gpj.\xe2\x80\xae"
                   "exe",
                   "gpj." MISSING "exe");                    /* turns what follows around */
    assert_escaped("\xd8\x9c", MISSING);                     /* likewise */
    assert_escaped("\xc2\x85\xef\xbf\xbf", MISSING MISSING); /* a C1 control, a noncharacter */
}

static int write_everything(FILE *stream, const void *content)
{
    const char *hostile = content;
    const struct df_fact facts[] = {{hostile, hostile}, {"plain", "text"}};
    const struct df_html_column columns[] = {{hostile, false}, {"n", true}, {"m", true}};

    df_html_facts(stream, facts, 2);
    df_html_heading(stream, hostile);
    df_html_table_begin(stream, hostile, columns, 3);
    df_html_group(stream, hostile, 3);
    df_html_row_begin(stream, hostile);
    df_html_number(stream, 1.0 / 3.0, 2);
    df_html_count(stream, 1234567);
    df_html_cell(stream, hostile);
    df_html_row_end(stream);
    df_html_table_end(stream);
    df_html_picture(stream, "image/png", "bytes", 5, 10, 20, hostile);
    return 0;
}

static void a_page_of_hostile_text_is_well_formed(void **state)
{
    static const char hostile[] = "\"><script>&\xff\x02'</title></style>";

    assert_int_equal(df_html_write(scratch_path("a.html"), hostile, write_everything, hostile), 0);
    char *page = page_of_file(scratch_path("a.html"));
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "<script"), 0);
    assert_int_equal(occurrences(page, "<title>"), 1);
    assert_int_equal(occurrences(page, "&quot;&gt;&lt;script&gt;&amp;" MISSING MISSING "&#39;"), 11);
    assert_int_equal(occurrences(page, "<td class=\"n\">0.33</td>"), 1);
    assert_int_equal(occurrences(page, "default-src 'none'"), 1);
    free(page);
}

static int write_heading_and_fail(FILE *stream, const void *content)
{
    df_html_heading(stream, content);
    return -1;
}

static void a_page_that_fails_leaves_the_old_one(void **state)
{
    const char *path = scratch_write_text("old.html", "old");

    assert_int_equal(df_html_write(path, "title", write_heading_and_fail, "new"), -1);
    char *page = page_of_file(path);
    assert_string_equal(page, "old");
    free(page);
}

static void numbers_counts_and_gaps(void **state)
{
    FILE *stream = tmpfile();
    df_html_number(stream, 63.4567, 1);
    df_html_number(stream, -0.5, 2);
    df_html_number(stream, NAN, 2);
    df_html_count(stream, 0);
    df_html_count(stream, 999);
    df_html_count(stream, 1000);
    df_html_count(stream, 12345678);
    char *page = page_text(stream);
    assert_string_equal(page,
                        "<td class=\"n\">63.5</td><td class=\"n\">-0.50</td><td class=\"n\">\xe2\x80\x93</td>"
                        "<td class=\"n\">0</td><td class=\"n\">999</td><td class=\"n\">1\xe2\x80\xaf"
                        "000</td>"
                        "<td class=\"n\">12\xe2\x80\xaf"
                        "345\xe2\x80\xaf"
                        "678</td>");
    free(page);
}

static void no_facts_are_no_list(void **state)
{
    FILE *stream = tmpfile();
    df_html_facts(stream, NULL, 0);
    char *page = page_text(stream);
    assert_string_equal(page, "");
    free(page);
}

/* The examples of RFC 4648, section 10, and bytes that need every digit. */
static void pictures_are_base64(void **state)
{
    static const char *const pairs[][2] = {{"", "base64,\""},
                                           {"f", "base64,Zg==\""},
                                           {"fo", "base64,Zm8=\""},
                                           {"foo", "base64,Zm9v\""},
                                           {"foob", "base64,Zm9vYg==\""},
                                           {"fooba", "base64,Zm9vYmE=\""},
                                           {"foobar", "base64,Zm9vYmFy\""},
                                           {"\xfb\xff\xbf", "base64,+/+/\""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        FILE *stream = tmpfile();
        df_html_picture(stream, "image/png", pairs[i][0], strlen(pairs[i][0]), 3, 4, "x");
        char *page = page_text(stream);
        assert_well_formed(page);
        assert_int_equal(occurrences(page, pairs[i][1]), 1);
        assert_int_equal(occurrences(page, "width=\"3\" height=\"4\" alt=\"x\""), 1);
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_escaped),
        cmocka_unit_test(what_is_no_text_is_replaced),
        cmocka_unit_test(a_page_of_hostile_text_is_well_formed),
        cmocka_unit_test(a_page_that_fails_leaves_the_old_one),
        cmocka_unit_test(numbers_counts_and_gaps),
        cmocka_unit_test(no_facts_are_no_list),
        cmocka_unit_test(pictures_are_base64),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
