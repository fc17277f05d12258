#include "value_words.h"

#include "dinoft/corruption.h"
#include "dinoft/normalize.h"

#include <assert.h>
#include <string.h>

static void add(struct df_value_words *words, const char *word)
{
    assert(words->count < DF_VALUE_WORDS_MAX);
    words->words[words->count++] = word;
}

static void add_all(struct df_value_words *words, const char *const *list)
{
    for (; list && *list; list++) {
        if (!df_choice_is_numbered(*list)) /* which no shell completes */
            add(words, *list);
    }
}

static void add_corruptions(struct df_value_words *words)
{
    add(words, "common");
    add(words, "all");
    for (int s = 0; s < DF_SUITE_COUNT; s++) {
        const struct df_corruption_suite *suite = df_corruption_suite((enum df_suite)s);
        for (int i = 0; i < suite->count; i++)
            add(words, suite->corruptions[i].name);
    }
}

static enum df_value_source source_of(const struct df_option_info *option)
{
    if (option->kind == DF_KIND_SWITCH)
        return DF_VALUE_NONE;
    if (option->kind == DF_KIND_CHOICE || option == &df_options[DF_OPTION_NORMALIZE])
        return DF_VALUE_WORD;
    if (option == &df_options[DF_OPTION_CORRUPTIONS] || option == &df_options[DF_OPTION_SEVERITY])
        return DF_VALUE_LIST;
    if (strcmp(option->metavar, "FILE") == 0 || strcmp(option->metavar, "PATH") == 0)
        return DF_VALUE_FILE;
    return strcmp(option->metavar, "DIR") == 0 ? DF_VALUE_FOLDER : DF_VALUE_FREE;
}

struct df_value_words df_option_words(const struct df_option_info *option)
{
    static const char *const normalizations[] = {DF_NORMALIZE_AUTO, DF_NORMALIZE_NAMES, NULL};
    static const char *const severities[] = {"all", "1", "2", "3", "4", "5", NULL};
    _Static_assert(DF_MAX_SEVERITIES == 5, "severities are listed");
    struct df_value_words words = {.source = source_of(option)};
    add_all(&words, option->choices);
    if (option == &df_options[DF_OPTION_CORRUPTIONS])
        add_corruptions(&words);
    else if (option == &df_options[DF_OPTION_SEVERITY])
        add_all(&words, severities);
    else if (option == &df_options[DF_OPTION_NORMALIZE])
        add_all(&words, normalizations);
    return words;
}

struct df_value_words df_input_words(enum df_command command)
{
    const struct df_command_info *info = &df_commands[command];
    struct df_value_words words = {.source = DF_VALUE_NONE};
    if (info->max_inputs > 0)
        words.source = info->input_choices ? DF_VALUE_WORD : DF_VALUE_FILE;
    add_all(&words, info->input_choices);
    return words;
}

struct df_value_words df_command_words(void)
{
    struct df_value_words words = {.source = DF_VALUE_WORD};
    for (int c = 0; c < DF_COMMAND_COUNT; c++)
        add(&words, df_commands[c].name);
    return words;
}

struct df_value_words df_general_words(enum df_general flag)
{
    struct df_value_words words = {.source = DF_VALUE_NONE};
    if (flag == DF_GENERAL_MAN)
        return df_command_words();
    if (flag == DF_GENERAL_COMPLETION) {
        words.source = DF_VALUE_WORD;
        add_all(&words, df_shells);
    }
    return words;
}

int df_option_value_count(const struct df_option_info *option)
{
    return option->kind == DF_KIND_SWITCH ? 0 : df_option_is_two(option) ? 2 : 1;
}

void df_print_words(FILE *stream, const struct df_value_words *words)
{
    for (int i = 0; i < words->count; i++)
        fprintf(stream, "%s%s", i > 0 ? " " : "", words->words[i]);
}
