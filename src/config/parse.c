/* argv -> struct df_config, with argparse's rules. */
#include "dinoft/config.h"

#include "dinoft/error.h"
#include "dinoft/mask_values.h"
#include "dinoft/text.h"
#include "dinoft/version.h"
#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct parser {
    int argc;
    char **argv;
    int next; /* the word of argv that is read next */
    struct df_config *config;
};

/* The next word unless it looks like a flag, as "-" and negative numbers do not; NULL if there is none. */
static const char *take_value(struct parser *parser)
{
    if (parser->next == parser->argc)
        return NULL;
    const char *word = parser->argv[parser->next];
    if (word[0] == '-' && word[1] != '\0' && word[1] != '.' && !isdigit((unsigned char)word[1]))
        return NULL;
    parser->next++;
    return word;
}

static int parse_switch(const struct df_flag *flag, const char *attached, struct df_config *config)
{
    if (attached)
        return df_error_set("--%s%s is a switch: it takes no value (found '%s')", flag->negated ? "no_" : "",
                            flag->option->name, attached);
    return df_option_set(flag->option, flag->negated ? "off" : "on", NULL, config);
}

static int parse_flag(struct parser *parser, const char *word)
{
    struct df_flag flag;
    DF_TRY(df_find_flag(word, parser->config->command, &flag));
    const struct df_option_info *option = flag.option;
    const char *equals = strchr(word, '=');
    const char *attached = equals ? equals + 1 : NULL;

    parser->config->typed[option - df_options] = true;
    if (option->kind == DF_KIND_SWITCH)
        return parse_switch(&flag, attached, parser->config);

    const char *text = attached ? attached : take_value(parser);
    if (!text)
        return df_error_set("--%s needs a value: --%s %s", option->name, option->name,
                            option->metavar ? option->metavar : option->choices[0]);
    const char *second = NULL;
    if (option->kind == DF_KIND_PAIR && !attached && !strchr(text, ','))
        second = take_value(parser);
    return df_option_set(option, text, second, parser->config);
}

static int unexpected_input(const char *word, const struct df_config *config)
{
    const struct df_command_info *command = &df_commands[config->command];
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        if (strcmp(word, df_commands[c].name) == 0)
            return df_error_set("'%s' must come first: dinoft %s ...", word, word);
    }
    if (command->max_inputs == 0)
        return df_error_set("%s takes flags only, which begin with --: found '%s'", command->name, word);
    return df_error_set("%s takes %s and no more: found '%s'", command->name, command->arguments, word);
}

/* Inputs gather at the front of argv, whose words there have been read. */
static int parse_input(struct parser *parser, char *word)
{
    struct df_config *config = parser->config;
    if (config->n_inputs >= df_commands[config->command].max_inputs)
        return unexpected_input(word, config);
    config->inputs[config->n_inputs++] = word;
    return 0;
}

static int parse_words(struct parser *parser)
{
    bool flags_ended = false;
    while (parser->next < parser->argc) {
        char *word = parser->argv[parser->next++];
        if (!flags_ended && strcmp(word, "--") == 0)
            flags_ended = true;
        else if (!flags_ended && word[0] == '-' && word[1] != '\0')
            DF_TRY(parse_flag(parser, word));
        else
            DF_TRY(parse_input(parser, word));
    }
    return 0;
}

static int check_folder_options(const struct df_config *config)
{
    bool folder = strcmp(config->dataset, "folder") == 0;
    /* bench reads a data set only when it is told to measure the loader: its classes are the model's else. */
    if (!df_command_takes(config->command, &df_options[DF_OPTION_DATASET]) ||
        (config->command == DF_COMMAND_BENCH && !config->typed[DF_OPTION_DATASET]))
        return 0;
    static const enum df_option only[] = {DF_OPTION_N_CLASSES, DF_OPTION_CLASS_NAMES, DF_OPTION_MASK_VALUES};
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++) {
        if (config->typed[only[i]] && !folder)
            return df_error_set("--%s is for --dataset folder: %s has its own %s classes",
                                df_options[only[i]].name, config->dataset,
                                strcmp(config->dataset, "voc") == 0 ? "21" : "150");
    }
    if (folder && config->command == DF_COMMAND_TRAIN && !config->typed[DF_OPTION_N_CLASSES])
        return df_error_set("--dataset folder needs --n_classes N");
    return 0;
}

static int check_mask_values(const struct df_config *config)
{
    struct df_mask_values values;

    if (!config->mask_values)
        return 0;
    if (df_mask_values_parse(config->mask_values, &values) != 0)
        return df_error_context("--mask_values");
    if (config->typed[DF_OPTION_N_CLASSES] && config->n_classes != values.count)
        return df_error_set("--mask_values %s has %d values, --n_classes says %lld", config->mask_values,
                            values.count, (long long)config->n_classes);
    return 0;
}

static int check_window(const struct df_config *config)
{
    if (config->slide[1] <= config->slide[0])
        return 0;
    return df_error_set("--slide: windows of %lld pixels that are %lld apart leave gaps",
                        (long long)config->slide[0], (long long)config->slide[1]);
}

static int check_scales(const struct df_config *config)
{
    if (!config->typed[DF_OPTION_SCALES] || config->tta)
        return 0;
    return df_error_set("--scales are those of --tta, which was not given");
}

/* What no single flag can tell. */
static int check_config(struct df_config *config)
{
    const struct df_command_info *command = &df_commands[config->command];
    if (config->n_inputs < command->min_inputs)
        return df_error_set("%s: too few arguments: expected 'dinoft %s %s'", command->name, command->name,
                            command->arguments);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const struct df_option_info *option = &df_options[i];
        if ((option->required >> config->command & 1) && !config->typed[i])
            return df_error_set("%s needs --%s %s", command->name, option->name, option->metavar);
    }
    DF_TRY(df_config_read_lists(config));
    DF_TRY(check_mask_values(config));
    DF_TRY(check_window(config));
    DF_TRY(check_scales(config));
    return check_folder_options(config);
}

void df_config_apply_recipe(struct df_config *config)
{
    if (strcmp(config->recipe, "reference") != 0)
        return;
    if (!config->typed[DF_OPTION_VOID_AS_BACKGROUND])
        config->void_as_background = true;
    if (config->command != DF_COMMAND_TRAIN)
        return;
    if (!config->typed[DF_OPTION_ROPE_RESCALE])
        config->rope_rescale = 2;
}

static int find_command(const char *word, enum df_command *command)
{
    const char *names[DF_COMMAND_COUNT];
    char list[DF_LIST_TEXT_MAX];
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        names[c] = df_commands[c].name;
        if (strcmp(word, names[c]) == 0) {
            *command = (enum df_command)c;
            return 0;
        }
    }
    int nearest = df_text_nearest(word, names, DF_COMMAND_COUNT);
    if (nearest >= 0)
        return df_error_set("unknown command '%s': did you mean '%s'?", word, names[nearest]);
    return df_error_set("unknown command '%s': the commands are %s", word,
                        df_command_list((1u << DF_COMMAND_COUNT) - 1, list));
}

/* -h, --help and what argparse would take for it; no option begins with h. */
static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || (strlen(word) > 2 && df_text_starts_with("--help", word));
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i]))
            return true;
    }
    return false;
}

/* What is asked of the program rather than of a command: DF_PARSE_RUN if nothing. */
static enum df_parse_result answer_general(int argc, char **argv)
{
    enum df_command command = DF_COMMAND_COUNT;
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("dinoft %s\n", DINOFT_VERSION);
        return DF_PARSE_DONE;
    }
    if (argc >= 2 && (strcmp(argv[1], "--help_markdown") == 0 || strcmp(argv[1], "--help-markdown") == 0)) {
        df_config_print_markdown(stdout);
        return DF_PARSE_DONE;
    }
    bool help_command = argc >= 2 && strcmp(argv[1], "help") == 0;
    if (help_command && argc > 2 && !is_help(argv[2]) && find_command(argv[2], &command) != 0)
        return DF_PARSE_WRONG;
    if (argc < 2 || help_command || (argc == 2 && is_help(argv[1]))) {
        df_config_print_help(stdout, command);
        return DF_PARSE_DONE;
    }
    return DF_PARSE_RUN;
}

enum df_parse_result df_config_parse(int argc, char **argv, struct df_config *config)
{
    df_config_set_defaults(config);
    enum df_parse_result general = answer_general(argc, argv);
    if (general != DF_PARSE_RUN)
        return general;

    struct parser parser = {.argc = argc, .argv = argv, .next = 1, .config = config};
    config->inputs = argv + 1;
    if (argv[1][0] != '-') {
        if (find_command(argv[1], &config->command) != 0)
            return DF_PARSE_WRONG;
        parser.next = 2;
    }
    if (wants_help(argc, argv)) {
        df_config_print_help(stdout, config->command);
        return DF_PARSE_DONE;
    }
    if (parse_words(&parser) != 0)
        return DF_PARSE_WRONG;
    df_config_apply_recipe(config);
    return check_config(config) == 0 ? DF_PARSE_RUN : DF_PARSE_WRONG;
}
