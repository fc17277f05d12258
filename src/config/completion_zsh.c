/* Completion for zsh, whose own function _arguments does most of it. */
#include "completion.h"
#include "general.h"

#include "dinoft/version.h"

#include <string.h>

static const char head[] =
    "#compdef dinoft\n"
    "# Completion of dinoft's command lines, written by 'dinoft --completion zsh' (" DINOFT_VERSION ").\n"
    "\n"
    "_dinoft()\n"
    "{\n"
    "    local command=train name i\n"
    "    local -a commands names flags\n"
    "    local -A option\n";

/* Flags alone mean train. */
static const char choose_command[] = "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
                                     "        _describe -t commands command commands\n"
                                     "        return\n"
                                     "    fi\n"
                                     "    for (( i = 2; i < CURRENT; i++ )); do\n"
                                     "        [[ $words[i] == --?* ]] && words[i]=--${${words[i]#--}//-/_}\n"
                                     "    done\n"
                                     "    flags=('(- *)'{-h,--help}'[list the flags]')\n"
                                     "    if [[ $words[2] != -* ]]; then\n"
                                     "        command=$words[2]\n"
                                     "        shift words\n"
                                     "        (( CURRENT-- ))\n";

/* As a file of $fpath the script is the body of the function _dinoft; it may also be sourced. */
static const char tail[] =
    "    for name in $names; do\n"
    "        flags+=(\"$option[$name]\")\n"
    "    done\n"
    "    _arguments -S -M 'm:-=_ r:|[_-]=* r:|=*' $flags\n"
    "}\n"
    "\n"
    "if [[ $funcstack[1] == _dinoft ]]; then\n"
    "    _dinoft \"$@\"\n"
    "elif (( $+functions[compdef] )); then\n"
    "    compdef _dinoft dinoft\n"
    "else\n"
    "    print -u2 \"dinoft: first load zsh's completion: autoload -Uz compinit && compinit\"\n"
    "    return 1\n"
    "fi\n";

/* Text in single quotes in which some characters have a meaning for _arguments or _describe. */
static void print_text(FILE *stream, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            fprintf(stream, "%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

/* ":MESSAGE:ACTION", how _arguments is told of a value. */
static void print_value(FILE *stream, const char *message, const struct df_value_words *words)
{
    static const char *const actions[] = {[DF_VALUE_NONE] = " ",      [DF_VALUE_FREE] = " ",
                                          [DF_VALUE_WORD] = "(",      [DF_VALUE_LIST] = "_values -s , name ",
                                          [DF_VALUE_FILE] = "_files", [DF_VALUE_FOLDER] = "_files -/"};
    fprintf(stream, ":%s:%s", message, actions[words->source]);
    df_print_words(stream, words);
    if (words->source == DF_VALUE_WORD)
        fputc(')', stream);
}

static void print_option(FILE *stream, const struct df_option_info *option)
{
    const struct df_value_words words = df_option_words(option);
    const char *name = option->name;
    const bool negatable = df_option_negatable(option);
    fprintf(stream, "        %s '", name);
    if (negatable)
        fprintf(stream, "(--no_%s)", name);
    fprintf(stream, "--%s%s[", name, words.source == DF_VALUE_NONE ? "" : "=");
    print_text(stream, option->help, "[]\\");
    fputc(']', stream);
    const bool is_message = option->metavar && !strchr(option->metavar, ':'); /* a colon ends it */
    if (words.source != DF_VALUE_NONE)
        print_value(stream, is_message ? option->metavar : name, &words);
    if (df_option_is_two(option))
        fprintf(stream, "::%s: ", option->metavar); /* not there where the first word was "H,W" */
    fprintf(stream, "'\n");
    if (negatable)
        fprintf(stream, "        no_%s '(--%s)--no_%s[not --%s]'\n", name, name, name, name);
}

/* The program's own flags, which are the first word or nothing; goes on after choose_command's last `if`. */
static void print_general(FILE *stream)
{
    const char *bar = "";
    fprintf(stream, "    elif (( CURRENT == 2 )) || [[ $words[2] == --(");
    for (int i = DF_GENERAL_HELP + 1; i < DF_GENERAL_COUNT; i++, bar = "|")
        fprintf(stream, "%s%s", bar, df_general_flags[i].name);
    fprintf(stream, ")(|=*) ]]; then\n        flags+=(\n");
    for (int i = DF_GENERAL_HELP + 1; i < DF_GENERAL_COUNT; i++) {
        const struct df_value_words words = df_general_words((enum df_general)i);
        fprintf(stream, "            '(- *)--%s%s[", df_general_flags[i].name, words.count > 0 ? "=" : "");
        print_text(stream, df_general_flags[i].help, "[]\\");
        fputc(']', stream);
        if (words.count > 0)
            print_value(stream, df_general_flags[i].name, &words);
        fprintf(stream, "'\n");
    }
    fprintf(stream, "        )\n    fi\n");
}

static void print_inputs(FILE *stream, enum df_command command)
{
    const struct df_command_info *info = &df_commands[command];
    const struct df_value_words words = df_input_words(command);
    const bool any_number = info->max_inputs == INT32_MAX;
    for (int i = 1; i <= (any_number ? 1 : info->max_inputs); i++) {
        if (any_number)
            fprintf(stream, " '*");
        else
            fprintf(stream, " '%d", i);
        print_value(stream, info->arguments, &words);
        fputc('\'', stream);
    }
}

static void print_cases(FILE *stream)
{
    const struct df_value_words names = df_command_words();
    fprintf(stream, "    case $command in\n");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        fprintf(stream, "    %s)\n        names=(", df_commands[c].name);
        for (int i = 0; i < DF_OPTION_COUNT; i++) {
            if (!df_command_takes((enum df_command)c, &df_options[i]))
                continue;
            fprintf(stream, " %s", df_options[i].name);
            if (df_option_negatable(&df_options[i]))
                fprintf(stream, " no_%s", df_options[i].name);
        }
        fprintf(stream, ")\n        flags+=(");
        print_inputs(stream, (enum df_command)c);
        fprintf(stream, ")\n        ;;\n");
    }
    fprintf(stream, "    help)\n        flags=('1");
    print_value(stream, "COMMAND", &names);
    fprintf(stream, "')\n        ;;\n    esac\n");
}

/* _arguments may not know that the second of two numbers must come, since "H,W" is both. */
static void print_pairs(FILE *stream)
{
    const char *bar = "";
    fprintf(stream,
            "    if [[ $words[CURRENT] != -* && $words[CURRENT-1] != *,* && $words[CURRENT-2] == --(");
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_option_is_two(&df_options[i])) {
            fprintf(stream, "%s%s", bar, df_options[i].name);
            bar = "|";
        }
    }
    fprintf(stream, ") ]]; then\n        _message 'the second number'\n        return\n    fi\n");
}

static void print_tables(FILE *stream)
{
    fprintf(stream, "    commands=(\n");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        fprintf(stream, "        '%s:", df_commands[c].name);
        print_text(stream, df_commands[c].summary, ":\\");
        fprintf(stream, "'\n");
    }
    fprintf(stream, "        'help:" DF_HELP_SUMMARY "'\n    )\n    option=(\n");
    for (int i = 0; i < DF_OPTION_COUNT; i++)
        print_option(stream, &df_options[i]);
    fprintf(stream, "    )\n");
}

void df_completion_zsh(FILE *stream)
{
    fputs(head, stream);
    print_tables(stream);
    fputs(choose_command, stream);
    print_general(stream);
    print_pairs(stream);
    print_cases(stream);
    fputs(tail, stream);
}
