#include "option_text.h"

#include <limits.h>
#include <string.h>

void df_option_flag_text(const struct df_option_info *option, const char *bar, char text[DF_OPTION_TEXT_MAX])
{
    int used = snprintf(text, DF_OPTION_TEXT_MAX, "--%s%s", option->name, option->metavar ? " " : "");
    for (const char *c = option->metavar ? option->metavar : ""; *c; c++)
        used += snprintf(text + used, DF_OPTION_TEXT_MAX - (size_t)used, "%.*s", *c == '|' ? INT_MAX : 1,
                         *c == '|' ? bar : c);
    for (int i = 0; option->choices && option->choices[i]; i++)
        used += snprintf(text + used, DF_OPTION_TEXT_MAX - (size_t)used, "%s%s", i == 0 ? " " : bar,
                         option->choices[i]);
}

void df_option_default_text(const struct df_option_info *option, char text[DF_OPTION_TEXT_MAX])
{
    snprintf(text, DF_OPTION_TEXT_MAX, "%s", option->initial ? option->initial : "");
    char *comma = strchr(text, ',');
    if (df_option_is_two(option) && comma)
        *comma = ' ';
    if (option->kind == DF_KIND_INTEGER && strcmp(text, "0") == 0 && option->minimum > 0)
        text[0] = '\0'; /* stands for "not given" */
}

void df_option_help_text(const struct df_option_info *option, enum df_command command,
                         char text[DF_OPTION_TEXT_MAX])
{
    char initial[DF_OPTION_TEXT_MAX];
    df_option_default_text(option, initial);
    int used = snprintf(text, DF_OPTION_TEXT_MAX, "%s", option->help);
    if (option->required >> command & 1)
        snprintf(text + used, DF_OPTION_TEXT_MAX - (size_t)used, " (required)");
    else if (initial[0])
        snprintf(text + used, DF_OPTION_TEXT_MAX - (size_t)used, " (default: %s)", initial);
}

int df_option_next(enum df_command command, enum df_option_group group, int before)
{
    for (int i = before + 1; i < DF_OPTION_COUNT; i++) {
        if (df_options[i].group == group && df_command_takes(command, &df_options[i]))
            return i;
    }
    return -1;
}

void df_command_usage(enum df_command command, char text[DF_OPTION_TEXT_MAX])
{
    const struct df_command_info *info = &df_commands[command];
    bool any_flag = false;
    size_t used = (size_t)snprintf(text, DF_OPTION_TEXT_MAX, "dinoft %s%s%s",
                                   command == DF_COMMAND_TRAIN ? "[train]" : info->name,
                                   info->arguments[0] ? " " : "", info->arguments);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_options[i].required >> command & 1)
            used += (size_t)snprintf(text + used, DF_OPTION_TEXT_MAX - used, " --%s %s", df_options[i].name,
                                     df_options[i].metavar);
        any_flag = any_flag || df_command_takes(command, &df_options[i]);
    }
    snprintf(text + used, DF_OPTION_TEXT_MAX - used, "%s", any_flag ? " [FLAGS]" : "");
}

size_t df_line_break(const char *line, size_t columns)
{
    size_t fits = strlen(line);
    while (fits > columns) {
        const char *flag = NULL;
        for (const char *next = strstr(line, " --"); next && next < line + fits;
             next = strstr(next + 1, " --"))
            flag = next;
        if (!flag)
            break;
        fits = (size_t)(flag - line);
    }
    return fits;
}
