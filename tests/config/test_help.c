/* --help, --version and the Markdown tables: nothing is missing, nothing is too wide. */
#include "command_line.h"

#include "src/config/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX (1 << 16)

/* What was written to the stream, which is closed. */
static char *read_back(FILE *stream)
{
    char *text = calloc(1, TEXT_MAX);
    assert_non_null(text);
    rewind(stream);
    assert_true(fread(text, 1, TEXT_MAX - 1, stream) < TEXT_MAX - 1);
    fclose(stream);
    return text;
}

static char *help_of(enum df_command command)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    df_config_print_help(stream, command);
    return read_back(stream);
}

/* What a command line prints to stdout; it must be one that needs nothing more. */
static char *printed_by(const char *const *words)
{
    struct df_config config;
    const char *argv[PARSE_MAX_WORDS];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    fflush(stdout);
    int old = dup(STDOUT_FILENO);
    dup2(fileno(stream), STDOUT_FILENO);
    enum df_parse_result result = parse_words(&config, argv, words);
    fflush(stdout);
    dup2(old, STDOUT_FILENO);
    close(old);
    assert_int_equal(result, DF_PARSE_DONE);
    return read_back(stream);
}

static bool has_line_starting(const char *text, const char *start)
{
    char needle[128];
    snprintf(needle, sizeof needle, "\n%s", start);
    return strstr(text, needle) != NULL;
}

static void help_lists_exactly_a_command_s_flags(void **state)
{
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        char *text = help_of((enum df_command)c);
        for (int i = 0; i < DF_OPTION_COUNT; i++) {
            const struct df_option_info *option = &df_options[i];
            char alone[64], valued[64];
            snprintf(alone, sizeof alone, "  --%s\n", option->name);
            snprintf(valued, sizeof valued, "  --%s ", option->name);
            bool listed = has_line_starting(text, alone) || has_line_starting(text, valued);
            assert_int_equal(listed, df_command_takes((enum df_command)c, option));
        }
        free(text);
    }
}

static void help_tells_defaults_and_choices(void **state)
{
    char *text = help_of(DF_COMMAND_TRAIN);
    assert_non_null(strstr(text, "--dino_type dinov2|dinov3\n"));
    assert_non_null(strstr(text, "(default: 490 490)"));
    assert_non_null(strstr(text, "(default: 2e-3)"));
    assert_non_null(strstr(text, "\nModel:\n"));
    free(text);
    text = help_of(DF_COMMAND_FEATURES);
    assert_non_null(strstr(text, "usage: dinoft features IMAGE... --output FILE [FLAGS]\n"));
    assert_non_null(strstr(text, "(required)"));
    free(text);
}

static void no_line_is_wider_than_100_columns(void **state)
{
    for (int c = 0; c <= DF_COMMAND_COUNT; c++) {
        char *text = help_of((enum df_command)c);
        for (const char *line = text; *line;) {
            size_t length = strcspn(line, "\n");
            assert_true(length <= 100);
            assert_true(length == 0 || line[length - 1] != ' ');
            line += length + 1;
        }
        free(text);
    }
}

/* Parses a line as a shell would cut it; `command` is the command that it should run, or DF_COMMAND_COUNT. */
static void check_example(const char *line, enum df_command command)
{
    struct df_config config;
    const char *argv[PARSE_MAX_WORDS], *words[PARSE_MAX_WORDS];
    char copy[256];
    int count = 0;
    assert_true(strlen(line) < sizeof copy);
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        assert_true(count + 1 < PARSE_MAX_WORDS);
        words[count++] = word;
    }
    words[count] = NULL;
    assert_string_equal(words[0], "dinoft");
    assert_int_equal(parse_words(&config, argv, words + 1), DF_PARSE_RUN);
    assert_true(command == DF_COMMAND_COUNT || config.command == command);
    df_config_free(&config);
}

static void every_example_is_a_command_line(void **state)
{
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        const char *const *examples = df_commands[c].examples;
        assert_non_null(examples[0]);
        for (int i = 0; examples[i]; i++)
            check_example(examples[i], (enum df_command)c);
    }
    for (int i = 0; df_program_examples[i]; i++)
        check_example(df_program_examples[i], DF_COMMAND_COUNT);
}

static void every_way_to_ask_for_help(void **state)
{
    static const char *const program[][4] = {{NULL},   {"-h"},   {"--help"},
                                             {"help"}, {"--he"}, {"help", "--help"}};
    static const char *const eval[][4] = {
        {"help", "eval"}, {"eval", "-h"}, {"eval", "--help"}, {"eval", "--bogus", "--help"}};
    char *expected = help_of(DF_COMMAND_COUNT);
    for (size_t i = 0; i < sizeof program / sizeof program[0]; i++) {
        char *text = printed_by(program[i]);
        assert_string_equal(text, expected);
        free(text);
    }
    for (int c = 0; c < DF_COMMAND_COUNT; c++)
        assert_non_null(strstr(expected, df_command_name((enum df_command)c)));
    free(expected);
    expected = help_of(DF_COMMAND_EVAL);
    for (size_t i = 0; i < sizeof eval / sizeof eval[0]; i++) {
        char *text = printed_by(eval[i]);
        assert_string_equal(text, expected);
        free(text);
    }
    free(expected);
}

/* "--h" and "--he" mean --help, whatever options begin so. */
static void no_option_is_an_abbreviation_of_help(void **state)
{
    for (int i = 0; i < DF_OPTION_COUNT; i++)
        assert_int_not_equal(strncmp("help", df_options[i].name, strlen(df_options[i].name)), 0);
}

static void version(void **state)
{
    char *text = printed_by((const char *const[]){"--version", NULL});
    assert_true(strncmp(text, "dinoft ", 7) == 0);
    free(text);
}

static void markdown_lists_every_option_once(void **state)
{
    char *text = printed_by((const char *const[]){"--help-markdown", NULL});
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        char alone[64], valued[64];
        snprintf(alone, sizeof alone, "| `--%s` |", df_options[i].name);
        snprintf(valued, sizeof valued, "| `--%s ", df_options[i].name);
        const char *row = strstr(text, alone);
        row = row ? row : strstr(text, valued);
        assert_non_null(row);
        assert_null(strstr(row + 1, alone));
        assert_null(strstr(row + 1, valued));
    }
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        int bars = 0;
        for (const char *c = line; *c != '\n'; c++)
            bars += *c == '|' && (c == line || c[-1] != '\\');
        assert_true(bars == 0 || bars == 3 || bars == 5);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_lists_exactly_a_command_s_flags),
        cmocka_unit_test(help_tells_defaults_and_choices),
        cmocka_unit_test(no_line_is_wider_than_100_columns),
        cmocka_unit_test(every_example_is_a_command_line),
        cmocka_unit_test(every_way_to_ask_for_help),
        cmocka_unit_test(no_option_is_an_abbreviation_of_help),
        cmocka_unit_test(version),
        cmocka_unit_test(markdown_lists_every_option_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
