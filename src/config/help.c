/* --help and the README's table, made from the table of options. */
#include "dinoft/config.h"

#include "dinoft/version.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

#define WIDTH       100
#define HELP_COLUMN 26
#define TEXT_MAX    1024

/* Writes text with its lines broken at spaces, from column `column` on (where the cursor is) to WIDTH. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
    int room = WIDTH - column;
    while ((int)strlen(text) > room) {
        int length = room;
        while (length > 0 && text[length] != ' ')
            length--;
        if (length == 0)
            length = (int)strcspn(text, " ");
        fprintf(stream, "%.*s\n%*s", length, text, column, "");
        text += length + (text[length] == ' ');
    }
    fprintf(stream, "%s\n", text);
}

/* "--size small|base|large": the flag with its value, choices set apart by `bar`. */
static void flag_text(const struct df_option_info *option, const char *bar, char text[TEXT_MAX])
{
    int used = snprintf(text, TEXT_MAX, "--%s", option->name);
    if (option->metavar)
        snprintf(text + used, TEXT_MAX - (size_t)used, " %s", option->metavar);
    for (int i = 0; option->choices && option->choices[i]; i++)
        used +=
            snprintf(text + used, TEXT_MAX - (size_t)used, "%s%s", i == 0 ? " " : bar, option->choices[i]);
}

/* The default as it would be typed; "" for none. */
static void default_text(const struct df_option_info *option, char text[TEXT_MAX])
{
    snprintf(text, TEXT_MAX, "%s", option->initial ? option->initial : "");
    char *comma = strchr(text, ',');
    if (option->kind == DF_KIND_PAIR && comma)
        *comma = ' ';
    if (option->kind == DF_KIND_INTEGER && strcmp(text, "0") == 0 && option->minimum > 0)
        text[0] = '\0'; /* stands for "not given" */
}

static void print_option(FILE *stream, const struct df_option_info *option, enum df_command command)
{
    char flag[TEXT_MAX], initial[TEXT_MAX], text[2 * TEXT_MAX];
    flag_text(option, "|", flag);
    default_text(option, initial);
    if (option->required >> command & 1)
        snprintf(text, sizeof text, "%s (required)", option->help);
    else if (initial[0])
        snprintf(text, sizeof text, "%s (default: %s)", option->help, initial);
    else
        snprintf(text, sizeof text, "%s", option->help);

    int column = fprintf(stream, "  %s", flag);
    if (column > HELP_COLUMN - 2) {
        fputc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", HELP_COLUMN - column, "");
    print_wrapped(stream, text, HELP_COLUMN);
}

static bool has_group(enum df_command command, int group)
{
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if ((int)df_options[i].group == group && df_command_takes(command, &df_options[i]))
            return true;
    }
    return false;
}

static void print_usage(FILE *stream, enum df_command command)
{
    const struct df_command_info *info = &df_commands[command];
    bool any_flag = false;
    fprintf(stream, "usage: dinoft %s", command == DF_COMMAND_TRAIN ? "[train]" : info->name);
    if (info->arguments[0])
        fprintf(stream, " %s", info->arguments);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_options[i].required >> command & 1)
            fprintf(stream, " --%s %s", df_options[i].name, df_options[i].metavar);
        any_flag = any_flag || df_command_takes(command, &df_options[i]);
    }
    fprintf(stream, "%s\n\n", any_flag ? " [FLAGS]" : "");
}

static void print_command_help(FILE *stream, enum df_command command)
{
    print_usage(stream, command);
    fprintf(stream, "%s: %s.\n", df_commands[command].name, df_commands[command].summary);
    for (int group = 0; group < DF_GROUP_COUNT; group++) {
        if (!has_group(command, group))
            continue;
        fprintf(stream, "\n%s:\n", df_group_title((enum df_option_group)group));
        for (int i = 0; i < DF_OPTION_COUNT; i++) {
            if ((int)df_options[i].group == group && df_command_takes(command, &df_options[i]))
                print_option(stream, &df_options[i], command);
        }
    }
    fprintf(stream, "\n  -h, --help              this text\n");
}

static void print_program_help(FILE *stream)
{
    fprintf(stream,
            "dinoft %s: fine-tunes DINOv2 and DINOv3 vision transformers for semantic segmentation.\n\n"
            "usage: dinoft [COMMAND] [FLAGS]\n\n"
            "Commands ('dinoft COMMAND --help' lists a command's flags; flags alone mean train):\n",
            DINOFT_VERSION);
    for (int c = 0; c < DF_COMMAND_COUNT; c++)
        fprintf(stream, "  %-10s  %s\n", df_commands[c].name, df_commands[c].summary);
    fprintf(stream,
            "\nFlags without a command:\n"
            "  -h, --help       this text\n"
            "  --help_markdown  all options of all commands, as Markdown\n"
            "  --version        the program's version; with --verbose, what a report of a fault should say\n"
            "\nExamples:\n"
            "  dinoft demo-data --data_root demo\n"
            "  dinoft train --dataset voc --data_root demo --dino_type dinov2 --size small --use_lora\n"
            "  dinoft eval --dataset voc --data_root demo --dino_type dinov2 --size small \\\n"
            "      --lora_weights output/lora.pt\n"
            "  dinoft predict photo.jpg --dino_type dinov2 --size small --lora_weights output/lora.pt\n"
            "  dinoft info output/lora.pt\n");
}

void df_config_print_help(FILE *stream, enum df_command command)
{
    if (command == DF_COMMAND_COUNT)
        print_program_help(stream);
    else
        print_command_help(stream, command);
}

/* One row of the table; '|' inside a cell is escaped, or it would end the cell. */
static void print_markdown_row(FILE *stream, const struct df_option_info *option)
{
    char flag[TEXT_MAX], initial[TEXT_MAX], commands[DF_LIST_TEXT_MAX];
    flag_text(option, "\\|", flag);
    default_text(option, initial);
    const char *tick = initial[0] ? "`" : "";
    if (!initial[0])
        snprintf(initial, sizeof initial, "%s", option->kind == DF_KIND_SWITCH ? "off" : "none");
    fprintf(stream, "| `%s` | %s%s%s | %s | %s |\n", flag, tick, initial, tick,
            df_command_list(option->commands, commands), option->help);
}

void df_config_print_markdown(FILE *stream)
{
    fprintf(stream, "| command | |\n| --- | --- |\n");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        const struct df_command_info *info = &df_commands[c];
        fprintf(stream, "| `dinoft %s%s%s` | %s |\n", info->name, info->arguments[0] ? " " : "",
                info->arguments, info->summary);
    }
    for (int group = 0; group < DF_GROUP_COUNT; group++) {
        fprintf(stream, "\n**%s**\n\n| flag | default | commands | meaning |\n| --- | --- | --- | --- |\n",
                df_group_title((enum df_option_group)group));
        for (int i = 0; i < DF_OPTION_COUNT; i++) {
            if ((int)df_options[i].group == group)
                print_markdown_row(stream, &df_options[i]);
        }
    }
}
