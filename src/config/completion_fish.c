/* Completion for fish. */
#include "completion.h"
#include "general.h"

#include "dinoft/version.h"

/* __dinoft_at COMMAND...: whether one of these is typed. __dinoft_wants COMMAND N: whether it is the command
 * and has fewer than N arguments yet. __dinoft_value: what is typed of a value, also behind "--FLAG=".
 * __dinoft_list WORD...: each word behind what is there of a list. */
static const char functions[] =
    "function __dinoft_at\n"
    "    contains -- (__dinoft_command) $argv\n"
    "end\n"
    "\n"
    "function __dinoft_wants -a command most\n"
    "    __dinoft_at $command; or return\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1..2]\n"
    "    set -l values 0\n"
    "    set -l inputs 0\n"
    "    for word in $words\n"
    "        if test $values -gt 0; and not string match -qr -- '^-[^0-9.]' $word\n"
    "            set values (math $values - 1)\n"
    "            string match -q -- '*,*' $word; and set values 0\n"
    "        else if string match -qr -- '^-.' $word\n"
    "            set values (__dinoft_values $word)\n"
    "        else\n"
    "            set inputs (math $inputs + 1)\n"
    "            set values 0\n"
    "        end\n"
    "    end\n"
    "    test $values -eq 0 -a $inputs -lt $most\n"
    "end\n"
    "\n"
    "function __dinoft_value\n"
    "    commandline -ct | string replace -r -- '^--[^=]*=' ''\n"
    "end\n"
    "\n"
    "function __dinoft_list\n"
    "    set -l begun (__dinoft_value | string replace -r '[^,]*$' '')\n"
    "    printf '%s\\n' \"$begun\"$argv\n"
    "end\n"
    "\n"
    "complete -c dinoft -f\n";

static void print_quoted(FILE *stream, const char *text)
{
    fputc('\'', stream);
    for (; *text; text++)
        fprintf(stream, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    fputc('\'', stream);
}

/* The command that is typed; "none" before there is a word, "general" behind a flag of the program, "flags"
 * behind another one, as that means train. */
static void print_chooser(FILE *stream)
{
    fprintf(stream, "function __dinoft_command\n"
                    "    set -l words (commandline -opc)\n"
                    "    if not set -q words[2]\n"
                    "        echo none\n"
                    "        return\n"
                    "    end\n"
                    "    switch (string replace -a -- - _ $words[2])\n"
                    "        case");
    for (int i = DF_GENERAL_HELP + 1; i < DF_GENERAL_COUNT; i++)
        fprintf(stream, " __%s", df_general_flags[i].name);
    fprintf(stream, "\n            echo general\n"
                    "        case '_*'\n"
                    "            echo flags\n"
                    "        case '*'\n"
                    "            echo $words[2]\n"
                    "    end\n"
                    "end\n\n");
}

/* How many values a flag wants behind it; '-' and '_' in its name are the same. */
static void print_counts(FILE *stream)
{
    fprintf(stream, "function __dinoft_values -a flag\n    switch (string replace -a -- - _ $flag)\n");
    for (int count = 1; count <= 2; count++) {
        fprintf(stream, "        case");
        for (int i = 0; i < DF_OPTION_COUNT; i++) {
            if (df_option_value_count(&df_options[i]) == count)
                fprintf(stream, " __%s", df_options[i].name);
        }
        fprintf(stream, "\n            echo %d\n", count);
    }
    fprintf(stream, "        case '*'\n            echo 0\n    end\nend\n\n");
}

static void print_value(FILE *stream, const struct df_value_words *words)
{
    static const char *const forms[][2] = {
        [DF_VALUE_NONE] = {"", ""},
        [DF_VALUE_FREE] = {" -x", ""},
        [DF_VALUE_WORD] = {" -x -a '", "'"},
        [DF_VALUE_LIST] = {" -x -a '(__dinoft_list ", ")'"},
        [DF_VALUE_FILE] = {" -r -F", ""},
        [DF_VALUE_FOLDER] = {" -x -a '(__fish_complete_directories (__dinoft_value))'", ""}};
    fputs(forms[words->source][0], stream);
    df_print_words(stream, words);
    fputs(forms[words->source][1], stream);
}

static void print_option(FILE *stream, const struct df_option_info *option, const char *no)
{
    const struct df_value_words words = df_option_words(option);
    fprintf(stream, "complete -c dinoft -n '__dinoft_at");
    if (df_command_takes(DF_COMMAND_TRAIN, option))
        fprintf(stream, " none flags");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        if (df_command_takes((enum df_command)c, option))
            fprintf(stream, " %s", df_commands[c].name);
    }
    fprintf(stream, "' -l %s%s", no, option->name);
    print_value(stream, &words);
    fprintf(stream, " -d ");
    if (*no)
        fprintf(stream, "'not --%s'", option->name);
    else
        print_quoted(stream, option->help);
    fputc('\n', stream);
}

static void print_general(FILE *stream)
{
    fprintf(stream, "complete -c dinoft -s h -l help -d 'list the flags'\n");
    for (int i = DF_GENERAL_HELP + 1; i < DF_GENERAL_COUNT; i++) {
        const struct df_value_words words = df_general_words((enum df_general)i);
        fprintf(stream, "complete -c dinoft -n '__dinoft_at none general' -l %s", df_general_flags[i].name);
        print_value(stream, &words);
        fprintf(stream, " -d ");
        print_quoted(stream, df_general_flags[i].help);
        fputc('\n', stream);
    }
}

static void print_command(FILE *stream, const char *name, const char *summary)
{
    fprintf(stream, "complete -c dinoft -n '__dinoft_at none' -a %s -d ", name);
    print_quoted(stream, summary);
    fputc('\n', stream);
}

static void print_inputs(FILE *stream, const char *name, int most, const struct df_value_words *words)
{
    fprintf(stream, "complete -c dinoft -n '__dinoft_wants %s %d'", name, most);
    if (words->source == DF_VALUE_FILE) {
        fprintf(stream, " -F\n");
        return;
    }
    fprintf(stream, " -a '");
    df_print_words(stream, words);
    fprintf(stream, "'\n");
}

void df_completion_fish(FILE *stream)
{
    const struct df_value_words names = df_command_words();
    fprintf(stream,
            "# Completion of dinoft's command lines, written by 'dinoft --completion fish' (" DINOFT_VERSION
            ").\n\n");
    print_chooser(stream);
    print_counts(stream);
    fputs(functions, stream);
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        const struct df_value_words words = df_input_words((enum df_command)c);
        print_command(stream, df_commands[c].name, df_commands[c].summary);
        if (words.source != DF_VALUE_NONE)
            print_inputs(stream, df_commands[c].name, df_commands[c].max_inputs, &words);
    }
    print_command(stream, "help", DF_HELP_SUMMARY);
    print_inputs(stream, "help", 1, &names);
    print_general(stream);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        print_option(stream, &df_options[i], "");
        if (df_option_negatable(&df_options[i]))
            print_option(stream, &df_options[i], "no_");
    }
}
