/* From the text of a value to the value: strict, and with errors that say what was expected. */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 64 /* of one of two numbers */

/* The number in "cuda:5" for the choice "cuda:N", 0 for the words of another choice; -1: it is not this one.
 */
static int match_choice(const char *choice, const char *text)
{
    const size_t before = strlen(choice) - 1;

    if (!df_choice_is_numbered(choice))
        return strcmp(choice, text) == 0 ? 0 : -1;
    if (strncmp(choice, text, before) != 0)
        return -1;
    const char *number = text + before;
    const size_t digits = strspn(number, "0123456789");
    if (digits == 0 || digits > 3 || number[digits] != '\0' || atoi(number) > DF_CHOICE_NUMBER_MAX)
        return -1;
    return atoi(number);
}

int df_choose(const char *subject, const char *const *choices, const char *text, int *value)
{
    int count = 0;
    while (choices[count])
        count++;
    char list[DF_LIST_TEXT_MAX];
    for (int i = 0; i < count; i++) {
        const int number = match_choice(choices[i], text);
        if (number >= 0) {
            *value = i + number;
            return 0;
        }
        df_list_append(list, "", choices[i], i, i + 1 == count, "or");
    }
    const bool numbered = df_choice_is_numbered(choices[count - 1]); /* nobody means that as it is spelt */
    int nearest = df_text_nearest(text, choices, numbered ? count - 1 : count);
    if (nearest >= 0)
        return df_error_set("%s: '%s' is not one of %s: did you mean '%s'?", subject, text, list,
                            choices[nearest]);
    return df_error_set("%s: '%s' is not one of %s", subject, text, list);
}

static int set_choice(const struct df_option_info *option, const char *text, void *value)
{
    char flag[DF_FLAG_MAX + 2];
    int choice;
    _Static_assert(sizeof(enum df_recipe) == sizeof choice, "enumerations are stored as int");

    snprintf(flag, sizeof flag, "--%s", option->name);
    DF_TRY(df_choose(flag, option->choices, text, &choice));
    memcpy(value, &choice, sizeof choice);
    return 0;
}

static int set_string(const struct df_option_info *option, const char *text, const char **value)
{
    if (text[0] == '\0')
        return df_error_set("--%s: the value is empty", option->name);
    *value = text;
    return 0;
}

static int check_range(const struct df_option_info *option, const char *text, int length, int64_t value)
{
    if (value >= option->minimum && value <= option->maximum)
        return 0;
    if (value < option->minimum && option->maximum >= INT32_MAX)
        return df_error_set("--%s: %.*s is too small: expected a whole number of at least %" PRId64,
                            option->name, length, text, option->minimum);
    return df_error_set("--%s: %.*s is out of range: expected a whole number from %" PRId64 " to %" PRId64,
                        option->name, length, text, option->minimum, option->maximum);
}

/* A whole number in the first `length` characters of text. */
static int read_integer(const struct df_option_info *option, const char *text, size_t length, int64_t *value)
{
    int shown = length > 100 ? 100 : (int)length;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (length == 0 || isspace((unsigned char)text[0]) || end != text + length)
        return df_error_set("--%s: '%.*s' is not a whole number", option->name, shown, text);
    if (errno == ERANGE)
        return df_error_set("--%s: %.*s is out of range: expected a whole number from %" PRId64
                            " to %" PRId64,
                            option->name, shown, text, option->minimum, option->maximum);
    *value = number;
    return 0;
}

static int set_integer(const struct df_option_info *option, const char *text, size_t length, int64_t *value)
{
    int64_t number = 0;
    DF_TRY(read_integer(option, text, length, &number));
    DF_TRY(check_range(option, text, (int)length, number));
    *value = number;
    return 0;
}

/* Of two numbers the first is the first `length` characters of text, and the second is *second, or behind a
 * comma where that is NULL. */
static int find_two(const struct df_option_info *option, const char *what, const char *text, size_t *length,
                    const char **second)
{
    const char *comma = *second ? NULL : strchr(text, ',');

    *length = comma ? (size_t)(comma - text) : strlen(text);
    if (comma)
        *second = comma + 1;
    return *second ? 0
                   : df_error_set("--%s: expected two %s, %s (such as %s), found '%s'", option->name, what,
                                  option->metavar, option->initial ? option->initial : "490,490", text);
}

static int set_pair(const struct df_option_info *option, const char *text, const char *second,
                    int64_t value[2])
{
    size_t length;

    DF_TRY(find_two(option, "whole numbers", text, &length, &second));
    DF_TRY(set_integer(option, text, length, &value[0]));
    return set_integer(option, second, strlen(second), &value[1]);
}

static int set_float(const struct df_option_info *option, const char *text, double *value)
{
    /* strtod also takes hexadecimal, "nan" and "inf", which are typing errors here. */
    bool decimal = text[0] != '\0' && strspn(text, "0123456789+-.eE") == strlen(text);
    char *end = NULL;
    double number = decimal ? strtod(text, &end) : 0;
    if (!decimal || end != text + strlen(text))
        return df_error_set("--%s: '%s' is not a number", option->name, text);
    const double least = option->float_minimum, below = option->float_below, most = option->float_most;
    if (!isfinite(number) || number < least || (number == least && !option->float_minimum_itself))
        return df_error_set("--%s: %s is out of range: expected a number %s %g", option->name, text,
                            option->float_minimum_itself ? "of at least" : "greater than", least);
    if (below > 0 && number >= below)
        return df_error_set("--%s: %s is out of range: expected a number less than %g", option->name, text,
                            below);
    if (most > 0 && number > most)
        return df_error_set("--%s: %s is out of range: expected a number of at most %g", option->name, text,
                            most);
    *value = number;
    return 0;
}

/* Each half is read as a number of its own. */
static int set_range(const struct df_option_info *option, const char *text, const char *second,
                     double value[2])
{
    char first[NUMBER_TEXT_MAX];
    double range[2];
    size_t length;

    DF_TRY(find_two(option, "numbers", text, &length, &second));
    if (length >= sizeof first)
        return df_error_set("--%s: '%s' is not a number", option->name, text);
    snprintf(first, sizeof first, "%.*s", (int)length, text);
    DF_TRY(set_float(option, first, &range[0]));
    DF_TRY(set_float(option, second, &range[1]));
    if (range[0] > range[1])
        return df_error_set("--%s: %s is more than %s: expected the smaller number first", option->name,
                            first, second);
    memcpy(value, range, sizeof range);
    return 0;
}

int df_option_set(const struct df_option_info *option, const char *text, const char *second,
                  struct df_config *config)
{
    void *value = df_option_value(option, config);
    switch (option->kind) {
    case DF_KIND_STRING:
        return set_string(option, text, value);
    case DF_KIND_CHOICE:
        return set_choice(option, text, value);
    case DF_KIND_INTEGER:
        return set_integer(option, text, strlen(text), value);
    case DF_KIND_FLOAT:
        return set_float(option, text, value);
    case DF_KIND_SWITCH:
        *(bool *)value = strcmp(text, "on") == 0;
        return 0;
    case DF_KIND_PAIR:
        return set_pair(option, text, second, value);
    case DF_KIND_RANGE:
        return set_range(option, text, second, value);
    }
    return -1;
}

void df_config_set_defaults(struct df_config *config)
{
    memset(config, 0, sizeof *config);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const struct df_option_info *option = &df_options[i];
        if (option->kind == DF_KIND_INTEGER)
            read_integer(option, option->initial, strlen(option->initial), df_option_value(option, config));
        else if (option->initial)
            df_option_set(option, option->initial, NULL, config);
    }
}
