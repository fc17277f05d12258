/* argv -> struct df_config, with argparse's rules. */
#include "dinoft/config.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/mask_values.h"
#include "general.h"
#include "layout_flags.h"
#include "sweep_axes.h"

#include <ctype.h>
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

/* A sweep keeps lists of what its runs get. */
static bool is_of_runs(const struct df_option_info *option, const struct df_config *config)
{
    return config->command == DF_COMMAND_SWEEP && !option->of_one_run;
}

static int set_value(const struct df_option_info *option, const char *text, const char *second,
                     struct df_config *config)
{
    return is_of_runs(option, config) ? sweep_axes_take(config, option, text, second)
                                      : df_option_set(option, text, second, config);
}

static int parse_switch(const struct df_flag *flag, const char *attached, struct df_config *config)
{
    if (attached && !flag->negated && is_of_runs(flag->option, config) && df_option_negatable(flag->option))
        return sweep_axes_take(config, flag->option, attached, NULL);
    if (attached)
        return df_error_set("--%s%s is a switch: it takes no value (found '%s')", flag->negated ? "no_" : "",
                            flag->option->name, attached);
    return set_value(flag->option, flag->negated ? "off" : "on", NULL, config);
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
        text = option->bare;
    if (!text)
        return df_error_set("--%s needs a value: --%s %s", option->name, option->name,
                            option->metavar ? option->metavar : option->choices[0]);
    const char *second = NULL;
    if (df_option_is_two(option) && !attached && !strchr(text, ','))
        second = take_value(parser);
    return set_value(option, text, second, parser->config);
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
    const struct df_command_info *command = &df_commands[config->command];
    int choice;
    if (config->n_inputs >= command->max_inputs)
        return unexpected_input(word, config);
    if (command->input_choices) {
        DF_TRY(df_choose(command->name, command->input_choices, word, &choice));
        config->bench_mode = (enum df_bench_mode)choice;
    }
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

int df_config_check_classes(const struct df_config *config)
{
    if (config->dataset != DF_DATASET_FOLDER || config->n_classes > 0 || config->class_names ||
        config->mask_values || config->palette || config->annotations)
        return 0;
    if (!config->images && !config->pairs)
        DF_TRY(df_archive_check(config->data_root));
    if (!config->images && !config->pairs &&
        (df_dataset_has_class_folders(config->data_root) || df_dataset_has_annotations(config->data_root) ||
         df_layout_tells_classes(config->data_root, config->layout)))
        return 0;
    return df_error_set("--dataset folder needs --n_classes N (--class_names, --palette, --annotations and "
                        "--mask_values tell it too)");
}

int df_config_check_dataset(const struct df_config *config)
{
    static const enum df_option only[] = {DF_OPTION_N_CLASSES, DF_OPTION_CLASS_NAMES, DF_OPTION_MASK_VALUES,
                                          DF_OPTION_PALETTE,   DF_OPTION_ANNOTATIONS, DF_OPTION_IGNORE_VALUE};
    const bool folder = config->dataset == DF_DATASET_FOLDER;
    const enum df_option typed = df_config_typed(config, only, sizeof only / sizeof only[0]);
    int classes = 0;

    df_dataset_names(config->dataset, &classes);
    if (typed != DF_OPTION_COUNT && !folder)
        return df_error_set("--%s is for --dataset folder: %s has its own %d classes", df_option_name(typed),
                            df_dataset_kind_name(config->dataset), classes);
    DF_TRY(check_layout(config));
    const bool of_flags = df_config_trains(config) || config->prototypes;
    return folder && of_flags && !config->lora_weights ? df_config_check_classes(config) : 0;
}

/* A data set that nobody typed is ade20k for train, and for eval without a checkpoint: else eval and corrupt
 * take the checkpoint's, and bench reads one only when it is told to measure the loader. */
static int check_typed_dataset(const struct df_config *config)
{
    const bool of_checkpoint = !df_config_trains(config) && (!config->prototypes || config->lora_weights);

    if (!df_command_takes(config->command, &df_options[DF_OPTION_DATASET]) ||
        (of_checkpoint && !config->typed[DF_OPTION_DATASET]))
        return 0;
    return df_config_check_dataset(config);
}

static int check_mask_values(const struct df_config *config)
{
    struct df_mask_values values = {0};
    int status = 0;

    if (config->palette && config->mask_values)
        return df_error_set("--palette and --mask_values both say what is in the masks: one of them does");
    if (config->mask_values && df_mask_values_parse(config->mask_values, &values) != 0)
        status = df_error_context("--mask_values");
    else if (config->mask_values && config->typed[DF_OPTION_N_CLASSES] && config->n_classes != values.count)
        status = df_error_set("--mask_values %.200s has %d values, --n_classes says %lld",
                              config->mask_values, values.count, (long long)config->n_classes);
    else if (config->ignore_value && df_mask_values_ignore(&values, config->ignore_value) != 0)
        status = df_error_context("--ignore_value");
    df_mask_values_free(&values);
    return status;
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

static int check_predict(const struct df_config *config)
{
    if (config->skip_existing && config->overwrite)
        return df_error_set("--skip_existing keeps what --overwrite replaces: one of them");
    if (config->save_logits && (config->slide[0] > 0 || config->tta))
        return df_error_set("--save_logits is for images that the model sees as a whole and once: without "
                            "--slide and --tta");
    if (config->json_lines && config->summary)
        return df_error_set("--summary is of a list of images: --json_lines says the same of each");
    return 0;
}

static int check_opacity(const struct df_config *config)
{
    const bool draws = config->command == DF_COMMAND_PREDICT || config->report_html;

    if (!config->typed[DF_OPTION_OVERLAY_OPACITY] || draws)
        return 0;
    return df_error_set("--overlay_opacity is for the pictures of --report_html, which was not given");
}

static int check_allowance(const struct df_config *config)
{
    if (!config->allow_other_backbone || config->lora_weights)
        return 0;
    return df_error_set(
        "--allow_other_backbone is for the checkpoint of --lora_weights, which was not given");
}

/* eval measures a checkpoint, or prototypes, which alone have training images. */
static int check_measured(const struct df_config *config)
{
    if (config->command != DF_COMMAND_EVAL)
        return 0;
    if (!config->lora_weights && !config->prototypes)
        return df_error_set("eval needs --lora_weights FILE, or --prototypes");
    static const enum df_option of_training[] = {DF_OPTION_SHOTS, DF_OPTION_TRAIN_LIST};
    const enum df_option typed = df_config_typed(config, of_training, 2);
    if (typed != DF_OPTION_COUNT && !config->prototypes)
        return df_error_set("--%s chooses training images: eval has a use for them with --prototypes alone",
                            df_option_name(typed));
    if (config->typed[DF_OPTION_SEED] && !config->typed[DF_OPTION_SHOTS])
        return df_error_set("--seed is for the images of --shots, which was not given");
    return 0;
}

/* What no single flag can tell. */
static int check_config(struct df_config *config)
{
    const struct df_command_info *command = &df_commands[config->command];
    if (config->json_lines && config->n_inputs > 0)
        return df_error_set("--json_lines reads the names of images from standard input: found '%s'",
                            config->inputs[0]);
    if (config->n_inputs < command->min_inputs && !config->json_lines)
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
    DF_TRY(check_opacity(config));
    DF_TRY(check_predict(config));
    DF_TRY(check_allowance(config));
    DF_TRY(check_measured(config));
    DF_TRY(df_config_check_look(config));
    DF_TRY(df_config_check_training(config));
    return check_typed_dataset(config);
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (df_is_help(argv[i]))
            return true;
    }
    return false;
}

/* Of two words for the same, one goes on. */
static void resolve_aliases(struct df_config *config)
{
    if (config->size == DF_HUGE)
        config->size = DF_HUGE_PLUS;
}

enum df_parse_result df_config_parse(int argc, char **argv, struct df_config *config)
{
    df_config_set_defaults(config);
    enum df_parse_result general = df_answer_general(argc, argv);
    if (general != DF_PARSE_RUN)
        return general;

    struct parser parser = {.argc = argc, .argv = argv, .next = 1, .config = config};
    config->inputs = argv + 1;
    if (argv[1][0] != '-') {
        if (df_find_command(argv[1], &config->command) != 0)
            return DF_PARSE_WRONG;
        parser.next = 2;
    }
    if (wants_help(argc, argv)) {
        df_config_print_help(stdout, config->command);
        return DF_PARSE_DONE;
    }
    return parse_words(&parser) == 0 ? DF_PARSE_RUN : DF_PARSE_WRONG;
}

int df_config_complete(struct df_config *config)
{
    if (config->command == DF_COMMAND_SWEEP)
        return 0;
    if (config->config)
        DF_TRY(df_config_read_file(config));
    resolve_aliases(config);
    df_config_apply_recipe(config);
    if (check_config(config) == 0)
        return 0;
    return config->config ? df_error_context("with --config %s", config->config) : -1;
}
