/* Completion for bash, which needs nothing but bash itself. */
#include "completion.h"
#include "general.h"

#include "dinoft/version.h"

/* COMP_WORDS are cut at '=' where COMP_WORDBREAKS has it, as is usual; else "--size=small" is one word. $2 is
 * what stands before the cursor of the word that is completed. `source` is where values or arguments come
 * from, `most` how many arguments a command takes. */
static const char functions[] =
    "_dinoft_reply()\n"
    "{\n"
    "    case $source in\n"
    "    files)\n"
    "        compopt -o filenames -o default 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -P \"$prefix\" -f -- \"$cur\")\n"
    "        ;;\n"
    "    folders)\n"
    "        compopt -o filenames -o dirnames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -P \"$prefix\" -d -- \"$cur\")\n"
    "        ;;\n"
    "    list | words)\n"
    "        if [[ $source == list ]]; then\n"
    "            compopt -o nospace 2>/dev/null\n"
    "            [[ $cur == *,* ]] && prefix+=${cur%,*}, cur=${cur##*,}\n"
    "        fi\n"
    "        mapfile -t COMPREPLY < <(compgen -P \"$prefix\" -W \"$words\" -- \"$cur\")\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "# Counts what was typed before the cursor: arguments, and how many values the last flag still wants.\n"
    "_dinoft_count()\n"
    "{\n"
    "    local word\n"
    "    for word; do\n"
    "        if [[ $word == = ]]; then\n"
    "            if ((values > 0)); then values=1; else ((inputs--)); fi\n"
    "        elif ((values > 0)) && [[ $word != -[!0-9.]* ]]; then\n"
    "            [[ $word == *,* ]] && values=1\n"
    "            ((values--))\n"
    "        elif [[ -z $ended && $word == -- ]]; then\n"
    "            ended=1 values=0\n"
    "        elif [[ -z $ended && $word == -?* ]]; then\n"
    "            _dinoft_value \"$word\"\n"
    "        else\n"
    "            ((inputs++))\n"
    "            values=0\n"
    "        fi\n"
    "    done\n"
    "}\n"
    "\n"
    "_dinoft()\n"
    "{\n"
    "    local cur=${2-${COMP_WORDS[COMP_CWORD]}} command=none first=1 last=COMP_CWORD-1\n"
    "    local prefix='' flags='' words='' source=none values=0 inputs=0 most=0 ended=''\n"
    "    COMPREPLY=()\n"
    "    if [[ ${COMP_WORDS[COMP_CWORD]} == = ]]; then\n"
    "        cur='' last=COMP_CWORD\n"
    "    fi\n"
    "    if ((COMP_CWORD > 1)); then\n"
    "        command=train\n"
    "        [[ ${COMP_WORDS[1]} == -* ]] || command=${COMP_WORDS[1]} first=2\n"
    "    fi\n"
    "    _dinoft_count \"${COMP_WORDS[@]:first:last-first+1}\"\n"
    "    if [[ -z $ended && $cur == --*=* ]]; then\n"
    "        _dinoft_value \"${cur%%=*}\"\n"
    "        prefix=${cur%%=*}= cur=${cur#*=}\n"
    "    elif [[ -z $ended && $cur == -* ]]; then\n"
    "        _dinoft_command\n"
    "        source=words words=$flags\n"
    "        [[ $cur == --* ]] && cur=${cur#--} cur=--${cur//-/_}\n"
    "    elif ((values == 0)); then\n"
    "        _dinoft_command\n"
    "        if ((inputs >= most)); then\n"
    "            source=none\n"
    "            [[ -z $ended ]] && source=words words=$flags\n"
    "        fi\n"
    "    fi\n"
    "    _dinoft_reply\n"
    "}\n"
    "\n"
    "complete -F _dinoft dinoft\n";

/* "source=words words='a b'" */
static void print_source(FILE *stream, const struct df_value_words *words)
{
    static const char *const sources[] = {
        [DF_VALUE_NONE] = "none", [DF_VALUE_FREE] = "none",  [DF_VALUE_WORD] = "words",
        [DF_VALUE_LIST] = "list", [DF_VALUE_FILE] = "files", [DF_VALUE_FOLDER] = "folders"};
    fprintf(stream, " source=%s", sources[words->source]);
    if (words->count > 0) {
        fprintf(stream, " words='");
        df_print_words(stream, words);
        fputc('\'', stream);
    }
}

/* An arm of the case over flags, in which '-' was replaced by '_'. */
static void print_value(FILE *stream, const char *name, int count, const struct df_value_words *words)
{
    fprintf(stream, "    __%s) values=%d", name, count);
    print_source(stream, words);
    fprintf(stream, " ;;\n");
}

static void print_values(FILE *stream)
{
    fprintf(stream, "# What the value of the flag $1 may be, and how many words it is.\n"
                    "_dinoft_value()\n{\n    values=0 source=none words=''\n    case ${1//-/_} in\n");
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const struct df_value_words words = df_option_words(&df_options[i]);
        if (words.source != DF_VALUE_NONE)
            print_value(stream, df_options[i].name, df_option_value_count(&df_options[i]), &words);
    }
    for (int i = 0; i < DF_GENERAL_COUNT; i++) {
        const struct df_value_words words = df_general_words((enum df_general)i);
        if (words.source != DF_VALUE_NONE)
            print_value(stream, df_general_flags[i].name, 1, &words);
    }
    fprintf(stream, "    esac\n}\n\n");
}

static void print_flags(FILE *stream, enum df_command command)
{
    fprintf(stream, " flags='--help"); /* the caller ends the quotes */
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const struct df_option_info *option = &df_options[i];
        if (df_command_takes(command, option))
            fprintf(stream, " --%s", option->name);
        if (df_command_takes(command, option) && df_option_negatable(option))
            fprintf(stream, " --no_%s", option->name);
    }
}

/* Flags alone mean train, so it is `none` that has the flags of the program and of train. */
static void print_commands(FILE *stream)
{
    struct df_value_words names = df_command_words();
    fprintf(stream, "# The flags of $command, and what its arguments may be.\n"
                    "_dinoft_command()\n{\n    source=none words='' most=0\n    case $command in\n");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        const struct df_value_words words = df_input_words((enum df_command)c);
        fprintf(stream, "    %s)", df_commands[c].name);
        print_source(stream, &words);
        fprintf(stream, " most=%d", df_commands[c].max_inputs);
        print_flags(stream, (enum df_command)c);
        fprintf(stream, "' ;;\n");
    }
    fprintf(stream, "    help) most=1");
    print_source(stream, &names);
    fprintf(stream, " ;;\n    none) most=1");
    names.words[names.count++] = "help";
    print_source(stream, &names);
    print_flags(stream, DF_COMMAND_TRAIN);
    for (int i = DF_GENERAL_HELP + 1; i < DF_GENERAL_COUNT; i++)
        fprintf(stream, " --%s", df_general_flags[i].name);
    fprintf(stream, "' ;;\n    esac\n}\n\n");
}

void df_completion_bash(FILE *stream)
{
    fprintf(stream,
            "# Completion of dinoft's command lines, written by 'dinoft --completion bash' (" DINOFT_VERSION
            ").\n\n");
    print_values(stream);
    print_commands(stream);
    fputs(functions, stream);
}
