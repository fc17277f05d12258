#include "general.h"

#include "dinoft/error.h"
#include "dinoft/text.h"
#include "dinoft/version.h"

#include <string.h>

bool df_is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || (strlen(word) > 2 && df_text_starts_with("--help", word));
}

/* Whether the word spells the flag; without a value. */
static bool is_flag(const char *word, const char *flag)
{
    char name[DF_FLAG_MAX];
    return df_text_starts_with(word, "--") && !strchr(word, '=') && df_flag_name(word, name) &&
           strcmp(name, flag) == 0;
}

/* The flag that the word spells, or DF_GENERAL_COUNT; *value is what stands behind '=' in it, or NULL. */
static enum df_general find_general(const char *word, const char **value)
{
    char name[DF_FLAG_MAX];
    const char *equals = strchr(word, '=');
    *value = equals ? equals + 1 : NULL;
    if (df_text_starts_with(word, "--") && df_flag_name(word, name)) {
        for (int i = 0; i < DF_GENERAL_COUNT; i++) {
            if (strcmp(name, df_general_flags[i].name) == 0 && (!equals || df_general_flags[i].argument))
                return (enum df_general)i;
        }
    }
    return DF_GENERAL_COUNT;
}

/* The words behind argv[1] are one at most, which *value gets where it is not set. */
static int take_one(int argc, char **argv, const char *argument, const char **value)
{
    int next = 2;
    if (argument && !*value && next < argc)
        *value = argv[next++];
    if (next == argc)
        return 0;
    return argument ? df_error_set("%s takes %s and no more: found '%s'", argv[1], argument, argv[next])
                    : df_error_set("%s takes nothing behind it: found '%s'", argv[1], argv[next]);
}

/* NULL names the program as a whole. */
static int find_page(const char *word, enum df_command *command)
{
    *command = DF_COMMAND_COUNT;
    return word ? df_find_command(word, command) : 0;
}

static int print_completion(const char *shell)
{
    int known;
    if (!shell)
        return df_error_set("--completion needs a value: --completion SHELL, which is bash, zsh or fish");
    DF_TRY(df_choose("--completion", df_shells, shell, &known));
    df_config_print_completion(stdout, df_shells[known]);
    return 0;
}

static int print_general(enum df_general flag, const char *value)
{
    enum df_command command;
    switch (flag) {
    case DF_GENERAL_HELP:
        DF_TRY(find_page(value, &command));
        df_config_print_help(stdout, command);
        return 0;
    case DF_GENERAL_MAN:
        DF_TRY(find_page(value, &command));
        df_config_print_manual(stdout, command);
        return 0;
    case DF_GENERAL_MARKDOWN:
        df_config_print_markdown(stdout);
        return 0;
    case DF_GENERAL_COMPLETION:
        return print_completion(value);
    case DF_GENERAL_VERSION: /* answer_version's */
    case DF_GENERAL_COUNT:
        break;
    }
    return -1;
}

/* --version and --verbose, which is for it. */
static enum df_parse_result answer_version(int argc, char **argv)
{
    bool verbose = false, version = false;
    const char *other = NULL;
    for (int i = 1; i < argc; i++) {
        if (is_flag(argv[i], "verbose"))
            verbose = true;
        else if (is_flag(argv[i], "version"))
            version = true;
        else
            other = argv[i];
    }
    if (!version)
        df_error_set("--verbose is for --version: dinoft --version --verbose");
    else if (other)
        df_error_set("--version takes nothing but --verbose: found '%s'", other);
    else if (verbose)
        return DF_PARSE_FACTS;
    else
        printf("dinoft %s\n", DINOFT_VERSION);
    return version && !other ? DF_PARSE_DONE : DF_PARSE_WRONG;
}

enum df_parse_result df_answer_general(int argc, char **argv)
{
    const bool alone = argc < 2 || (argc == 2 && df_is_help(argv[1]));
    const bool help = !alone && strcmp(argv[1], "help") == 0;
    enum df_general flag = DF_GENERAL_HELP;
    const char *argument = "[COMMAND]", *value = NULL;

    if (!alone && (is_flag(argv[1], "version") || is_flag(argv[1], "verbose")))
        return answer_version(argc, argv);
    if (!alone && !help) {
        flag = find_general(argv[1], &value);
        if (flag == DF_GENERAL_COUNT || flag == DF_GENERAL_HELP)
            return DF_PARSE_RUN;
        argument = df_general_flags[flag].argument;
    }
    if (help && argc == 3 && df_is_help(argv[2]))
        argc = 2; /* "help --help" */
    if (!alone && take_one(argc, argv, argument, &value) != 0)
        return DF_PARSE_WRONG;
    return print_general(flag, value) == 0 ? DF_PARSE_DONE : DF_PARSE_WRONG;
}
