/* Text in roff: each character stays what it is, and no line becomes a command. */
#include "support/cmocka_all.h"

#include "src/config/roff.h"

#include <stdio.h>
#include <string.h>

typedef void writer(FILE *stream, const char *text);

static void check(writer *write, const char *text, const char *expected)
{
    char found[4096] = "";
    FILE *stream = tmpfile();
    assert_non_null(stream);
    write(stream, text);
    rewind(stream);
    assert_true(fread(found, 1, sizeof found - 1, stream) < sizeof found - 1);
    fclose(stream);
    assert_string_equal(found, expected);
}

static void characters_with_a_meaning(void **state)
{
    check(df_roff_text, "plain", "plain");
    check(df_roff_text, "a-b --c", "a\\-b \\-\\-c");
    check(df_roff_text, "'sh it's `x` \"y\" ^ ~", "\\(aqsh it\\(aqs \\(gax\\(ga \\(dqy\\(dq \\(ha \\(ti");
    check(df_roff_text, "back\\slash", "back\\eslash");
    check(df_roff_text, ".SH no heading", "\\&.SH no heading");
}

static void how_something_is_typed(void **state)
{
    check(df_roff_syntax, "--size small+|7b", "\\fB\\-\\-size\\fR \\fBsmall+\\fR|\\fB7b\\fR");
    check(df_roff_syntax, "info [FILE] IMAGE...", "\\fBinfo\\fR [\\fIFILE\\fR] \\fIIMAGE\\fR...");
}

static void sentences(void **state)
{
    check(df_roff_sentences, "One. Two (--tta's), three.", "One.\nTwo (\\fB\\-\\-tta\\fR\\(aqs), three.\n");
    check(df_roff_sentences, "Words behind -- and a, ..., b", "Words behind \\-\\- and a, ..., b\n");
    /* The dot would come to the start of a line. */
    check(df_roff_sentences,
          "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 .txt and more",
          "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\n\\&.txt and more\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_with_a_meaning),
        cmocka_unit_test(how_something_is_typed),
        cmocka_unit_test(sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
