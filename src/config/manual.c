/* Manual pages, made from the tables of options and commands. */
#include "manual.h"

#include "dinoft/version.h"
#include "option_text.h"
#include "roff.h"
#include "value_words.h"

#include <ctype.h>

/* The names that a list is made of. (Numbers are told by the help text.) */
static void print_names(FILE *stream, const struct df_value_words *names)
{
    char text[DF_OPTION_TEXT_MAX];
    int used = snprintf(text, sizeof text, "The names are");
    for (int i = 0; i < names->count; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s %s", i > 0 ? "," : "", names->words[i]);
    snprintf(text + used, sizeof text - (size_t)used, ".");
    fprintf(stream, ".IP\n");
    df_roff_sentences(stream, text);
}

static void print_option(FILE *stream, const struct df_option_info *option, enum df_command command)
{
    char flag[DF_OPTION_TEXT_MAX], text[DF_OPTION_TEXT_MAX];
    df_option_flag_text(option, "|", flag);
    df_option_help_text(option, command, text);
    df_manual_entry(stream, flag, text);
    if (option == &df_options[DF_OPTION_CORRUPTIONS]) {
        const struct df_value_words names = df_option_words(option);
        print_names(stream, &names);
    }
}

static void print_options(FILE *stream, enum df_command command)
{
    df_manual_section(stream, "OPTIONS");
    for (int group = 0; group < DF_GROUP_COUNT; group++) {
        int i = df_option_next(command, (enum df_option_group)group, -1);
        if (i >= 0)
            fprintf(stream, ".SS %s\n", df_group_title((enum df_option_group)group));
        for (; i >= 0; i = df_option_next(command, (enum df_option_group)group, i))
            print_option(stream, &df_options[i], command);
    }
    fprintf(stream, ".SS Help\n");
    df_manual_entry(stream, "-h, --help", "list these flags");
}

static void print_command(FILE *stream, enum df_command command)
{
    const struct df_command_info *info = &df_commands[command];
    char usage[DF_OPTION_TEXT_MAX];
    df_command_usage(command, usage);
    df_manual_section(stream, "SYNOPSIS");
    df_roff_syntax(stream, usage);
    fputc('\n', stream);
    df_manual_section(stream, "DESCRIPTION");
    df_roff_sentences(stream, info->description);
    print_options(stream, command);
    df_manual_examples(stream, info->examples);
    df_manual_section(stream, "SEE ALSO");
    fprintf(stream, ".BR dinoft (1)\n");
    df_roff_sentences(stream,
                      "says how flags are typed, which files and variables are read, and what the exit "
                      "status means.");
}

/* "dinoft-train" for the command train. */
static void print_name(FILE *stream, enum df_command command, int (*change)(int))
{
    const char *dash = command < DF_COMMAND_COUNT ? "-" : "";
    const char *name = command < DF_COMMAND_COUNT ? df_commands[command].name : "";
    char text[DF_FLAG_MAX];
    snprintf(text, sizeof text, "dinoft%s%s", dash, name);
    for (char *c = text; change && *c; c++)
        *c = (char)change((unsigned char)*c);
    df_roff_text(stream, text);
}

void df_config_print_manual(FILE *stream, enum df_command command)
{
    const bool program = command == DF_COMMAND_COUNT;
    fprintf(stream, ".\\\" Written by 'dinoft --help_man'.\n.TH ");
    print_name(stream, command, toupper);
    fprintf(stream, " 1 \"\" \"dinoft " DINOFT_VERSION "\" \"dinoft manual\"\n");
    fprintf(stream, ".nh\n.ad l\n"); /* no hyphens in names that are typed, and even gaps */
    df_manual_section(stream, "NAME");
    print_name(stream, command, NULL);
    fprintf(stream, " \\-\n");
    df_roff_sentences(stream, program ? DF_PROGRAM_SUMMARY : df_commands[command].summary);
    if (program)
        df_manual_program(stream);
    else
        print_command(stream, command);
}
