#include "options.h"

#include <stdio.h>
#include <string.h>

#define ONE_RUN      (1u << DF_COMMAND_TRAIN)
#define SWEEP        (1u << DF_COMMAND_SWEEP)
#define TRAIN        (ONE_RUN | SWEEP)
#define EVAL         (1u << DF_COMMAND_EVAL)
#define CORRUPT      (1u << DF_COMMAND_CORRUPT)
#define IMAGES       (1u << DF_COMMAND_CORRUPT_IMAGES)
#define PREDICT      (1u << DF_COMMAND_PREDICT)
#define FEATURES     (1u << DF_COMMAND_FEATURES)
#define PCA          (1u << DF_COMMAND_PCA)
#define CONVERT      (1u << DF_COMMAND_CONVERT)
#define DEMO_DATA    (1u << DF_COMMAND_DEMO_DATA)
#define BENCH        (1u << DF_COMMAND_BENCH)
#define SELFTEST     (1u << DF_COMMAND_SELFTEST)
#define INFO         (1u << DF_COMMAND_INFO)
#define REPORT       (1u << DF_COMMAND_REPORT)
#define LOOK         (1u << DF_COMMAND_DATA)
#define EVERY        ((1u << DF_COMMAND_COUNT) - 1)
#define MEASURE      (EVAL | CORRUPT)                             /* the commands that measure a checkpoint */
#define NETWORK      (TRAIN | MEASURE | PREDICT | FEATURES | PCA) /* the commands that run a model */
#define SETS         (TRAIN | MEASURE | LOOK | BENCH)             /* the commands that read data sets */
#define TAKES_IMAGES (IMAGES | PREDICT | FEATURES | PCA)          /* the commands that images are named for */
#define STORED       (MEASURE | PREDICT | FEATURES | PCA) /* those that take the model from a checkpoint */

#define LIST(...) ((const char *const[]){__VA_ARGS__ NULL})
#define WEIGHT_FOLDERS                                                                                       \
    "$DINOFT_WEIGHTS, weights, ~/.local/share/dinoft/weights or PREFIX/share/dinoft/weights"

/* The kind of value, and what else a row has behind its help text. */
#define ROW_SWITCH(...) .kind = DF_KIND_SWITCH, __VA_ARGS__
#define ROW_STRING(METAVAR, INITIAL, ...)                                                                    \
    .kind = DF_KIND_STRING, .metavar = METAVAR, .initial = INITIAL, __VA_ARGS__
#define ROW_CHOICE(TYPE, CHOICES, INITIAL, ...)                                                              \
    .kind = DF_KIND_CHOICE, .initial = INITIAL, .choices = LIST(CHOICES(DF_CHOICE_TEXT)), __VA_ARGS__
#define ROW_INTEGER(INITIAL, LEAST, MOST, ...)                                                               \
    .kind = DF_KIND_INTEGER, .metavar = "N", .initial = INITIAL, .minimum = LEAST, .maximum = MOST,          \
    __VA_ARGS__
#define ROW_FLOAT(INITIAL, ABOVE, ...)                                                                       \
    .kind = DF_KIND_FLOAT, .metavar = "F", .initial = INITIAL, .float_minimum = ABOVE, __VA_ARGS__
#define ROW_PAIR(METAVAR, INITIAL, LEAST, MOST, ...)                                                         \
    .kind = DF_KIND_PAIR, .metavar = METAVAR, .initial = INITIAL, .minimum = LEAST, .maximum = MOST,         \
    __VA_ARGS__
#define ROW_RANGE(METAVAR, INITIAL, ABOVE, MOST, ...)                                                        \
    .kind = DF_KIND_RANGE, .metavar = METAVAR, .initial = INITIAL, .float_minimum = ABOVE,                   \
    .float_most = MOST, __VA_ARGS__

#define OPTION(KIND, ID, FIELD, GROUP, COMMANDS, HELP, ...)                                                  \
    [DF_OPTION_##ID] = {.name = #FIELD,                                                                      \
                        .offset = offsetof(struct df_config, FIELD),                                         \
                        .group = DF_GROUP_##GROUP,                                                           \
                        .commands = COMMANDS,                                                                \
                        .help = HELP,                                                                        \
                        ROW_##KIND(__VA_ARGS__)},

const struct df_option_info df_options[DF_OPTION_COUNT] = {
#include "dinoft/option_list.h"
};

const char *df_choice_text(enum df_option option, int choice)
{
    return df_options[option].choices[choice];
}

bool df_option_is_equal(const struct df_option_info *option, const struct df_config *a,
                        const struct df_config *b)
{
    const void *first = (const char *)a + option->offset, *second = (const char *)b + option->offset;
    const char *text, *other;

    switch (option->kind) {
    case DF_KIND_STRING:
        text = *(const char *const *)first;
        other = *(const char *const *)second;
        return text && other ? strcmp(text, other) == 0 : text == other;
    case DF_KIND_CHOICE:
        return *(const int *)first == *(const int *)second;
    case DF_KIND_INTEGER:
        return *(const int64_t *)first == *(const int64_t *)second;
    case DF_KIND_FLOAT:
        return *(const double *)first == *(const double *)second;
    case DF_KIND_SWITCH:
        return *(const bool *)first == *(const bool *)second;
    case DF_KIND_PAIR:
        return memcmp(first, second, sizeof(int64_t[2])) == 0;
    case DF_KIND_RANGE:
        return memcmp(first, second, sizeof(double[2])) == 0;
    }
    return false;
}

bool df_choice_is_numbered(const char *choice)
{
    const size_t length = strlen(choice);
    return length > 2 && strcmp(choice + length - 2, ":N") == 0;
}

const char *df_choice_spell(const struct df_option_info *option, int choice, char text[DF_CHOICE_TEXT_MAX])
{
    int i = 0;

    while (i < choice && option->choices[i + 1])
        i++;
    const char *word = option->choices[i];
    if (!df_choice_is_numbered(word))
        return word;
    snprintf(text, DF_CHOICE_TEXT_MAX, "%.*s%d", (int)strlen(word) - 1, word, choice - i);
    return text;
}

const char *df_option_name(enum df_option option)
{
    return df_options[option].name;
}

enum df_option df_config_typed(const struct df_config *config, const enum df_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (config->typed[options[i]])
            return options[i];
    }
    return DF_OPTION_COUNT;
}

const char *df_group_title(enum df_option_group group)
{
    static const char *const titles[DF_GROUP_COUNT] = {"Model", "Data", "Run", "Output", "Machine"};
    return titles[group];
}

_Static_assert(DF_CHOICE_WORDS == DF_LIST_TEXT_MAX, "both are lists of words");

char *df_choice_words(enum df_option option, char text[DF_CHOICE_WORDS])
{
    const char *const *choices = df_options[option].choices;

    for (int i = 0; choices[i]; i++)
        df_list_append(text, "", choices[i], i, !choices[i + 1], "or");
    return text;
}

void df_list_append(char *text, const char *prefix, const char *item, int before, bool last, const char *word)
{
    size_t used = before == 0 ? 0 : strlen(text);
    char separator[16] = "";
    if (before > 0)
        snprintf(separator, sizeof separator, last ? " %s " : ", ", word);
    snprintf(text + used, DF_LIST_TEXT_MAX - used, "%s%s%s", separator, prefix, item);
}
