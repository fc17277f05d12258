/* --help, made from the tables of options and commands. */
#include "dinoft/version.h"
#include "general.h"
#include "option_text.h"

#include <string.h>

#define WIDTH         100
#define HELP_COLUMN   26
#define COMMAND_WIDTH 16

/* Writes text with its lines broken at spaces, from column `column` on (where the cursor is) to WIDTH. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
    int columns = WIDTH - column;
    while ((int)strlen(text) > columns) {
        int length = columns;
        while (length > 0 && text[length] != ' ')
            length--;
        if (length == 0)
            length = (int)strcspn(text, " ");
        fprintf(stream, "%.*s\n%*s", length, text, column, "");
        text += length + (text[length] == ' ');
    }
    fprintf(stream, "%s\n", text);
}

/* A flag, or what else is explained, and its text in the column beside it. */
static void print_entry(FILE *stream, const char *flag, const char *text)
{
    int column = fprintf(stream, "  %s", flag);
    if (column > HELP_COLUMN - 2) {
        fputc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", HELP_COLUMN - column, "");
    print_wrapped(stream, text, HELP_COLUMN);
}

static void print_examples(FILE *stream, const char *const *examples)
{
    fprintf(stream, "\nExamples:\n");
    for (; *examples; examples++) {
        const char *line = *examples;
        size_t length = df_line_break(line, WIDTH - 4);
        fprintf(stream, "  %.*s", (int)length, line);
        for (line += length; *line; line += length) {
            line++; /* the space */
            length = df_line_break(line, WIDTH - 8);
            fprintf(stream, " \\\n      %.*s", (int)length, line);
        }
        fputc('\n', stream);
    }
}

static void print_group(FILE *stream, enum df_command command, enum df_option_group group)
{
    char flag[DF_OPTION_TEXT_MAX], text[DF_OPTION_TEXT_MAX];
    int i = df_option_next(command, group, -1);
    if (i >= 0)
        fprintf(stream, "\n%s:\n", df_group_title(group));
    for (; i >= 0; i = df_option_next(command, group, i)) {
        df_option_flag_text(&df_options[i], "|", flag);
        df_option_help_text(&df_options[i], command, text);
        print_entry(stream, flag, text);
    }
}

static void print_command_help(FILE *stream, enum df_command command)
{
    const struct df_command_info *info = &df_commands[command];
    char usage[DF_OPTION_TEXT_MAX];
    df_command_usage(command, usage);
    fprintf(stream, "usage: %s\n\n%s: %s.\n", usage, info->name, info->summary);
    print_wrapped(stream, info->description, 0);
    for (int group = 0; group < DF_GROUP_COUNT; group++)
        print_group(stream, command, (enum df_option_group)group);
    fputc('\n', stream);
    print_entry(stream, "-h, --help", "this text");
    print_examples(stream, info->examples);
}

static void print_program_help(FILE *stream)
{
    fprintf(stream,
            "dinoft %s: fine-tunes DINOv2 and DINOv3 vision transformers for semantic segmentation.\n\n"
            "usage: dinoft [COMMAND] [FLAGS]\n\n"
            "Commands (flags alone mean train):\n",
            DINOFT_VERSION);
    for (int c = 0; c < DF_COMMAND_COUNT; c++)
        fprintf(stream, "  %-*s%s\n", COMMAND_WIDTH, df_commands[c].name, df_commands[c].summary);
    fprintf(stream, "  %-*s%s\n", COMMAND_WIDTH, "help [COMMAND]",
            "list a command's flags, as 'dinoft COMMAND --help' does, or print this text");
    fprintf(stream, "\nFlags without a command:\n");
    for (int i = 0; i < DF_GENERAL_COUNT; i++) {
        char flag[DF_OPTION_TEXT_MAX];
        df_general_flag_text(&df_general_flags[i], flag);
        print_entry(stream, flag, df_general_flags[i].help);
    }
    print_examples(stream, df_program_examples);
}

void df_config_print_help(FILE *stream, enum df_command command)
{
    if (command == DF_COMMAND_COUNT)
        print_program_help(stream);
    else
        print_command_help(stream, command);
}
