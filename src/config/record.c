/* The configuration of a run as a JSON file beside its results. */
#include "dinoft/config.h"

#include "dinoft/json_writer.h"
#include "dinoft/version.h"
#include "options.h"

#include <inttypes.h>

/* Most readers of JSON, this program's too, have doubles for numbers: what they would round goes in as text.
 */
static void add_integer(struct df_json *json, const char *name, int64_t value)
{
    const int64_t exact = INT64_C(1) << 53;
    char text[32];

    if (value >= -exact && value <= exact) {
        df_json_integer(json, name, value);
        return;
    }
    snprintf(text, sizeof text, "%" PRId64, value);
    df_json_text(json, name, text);
}

static void add_pair(struct df_json *json, const char *name, const int64_t value[2])
{
    df_json_array(json, name);
    df_json_integer(json, NULL, value[0]);
    df_json_integer(json, NULL, value[1]);
    df_json_close(json);
}

static void add_range(struct df_json *json, const char *name, const double value[2])
{
    df_json_array(json, name);
    df_json_exact(json, NULL, value[0]);
    df_json_exact(json, NULL, value[1]);
    df_json_close(json);
}

static void add_value(struct df_json *json, const struct df_option_info *option,
                      const struct df_config *config)
{
    const void *value = (const char *)config + option->offset;
    char text[DF_CHOICE_TEXT_MAX];

    switch (option->kind) {
    case DF_KIND_STRING:
        df_json_text(json, option->name, *(const char *const *)value);
        break;
    case DF_KIND_CHOICE:
        df_json_text(json, option->name, df_choice_spell(option, *(const int *)value, text));
        break;
    case DF_KIND_INTEGER:
        add_integer(json, option->name, *(const int64_t *)value);
        break;
    case DF_KIND_FLOAT:
        df_json_exact(json, option->name, *(const double *)value);
        break;
    case DF_KIND_SWITCH:
        df_json_bool(json, option->name, *(const bool *)value);
        break;
    case DF_KIND_PAIR:
        add_pair(json, option->name, value);
        break;
    case DF_KIND_RANGE:
        add_range(json, option->name, value);
        break;
    }
}

static void begin(struct df_json *json, enum df_command command)
{
    df_json_object(json, NULL);
    df_json_text(json, "dinoft", DINOFT_VERSION);
    df_json_text(json, "command", df_command_name(command));
}

void df_config_to_json(struct df_json *json, const struct df_config *config)
{
    begin(json, config->command);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(config->command, &df_options[i]))
            add_value(json, &df_options[i], config);
    }
    if (df_commands[config->command].max_inputs > 0) {
        df_json_array(json, "inputs");
        for (int i = 0; i < config->n_inputs; i++)
            df_json_text(json, NULL, config->inputs[i]);
        df_json_close(json);
    }
}

char *df_config_defaults(enum df_command command)
{
    struct df_config config;
    struct df_json json = {0};

    df_config_set_defaults(&config);
    config.command = command;
    df_config_to_json(&json, &config);
    df_json_close(&json);
    return df_json_print(&json, "the defaults of the options");
}

/* What a checkpoint or the number of the images is to say. */
static bool is_open(const struct df_config *config, enum df_option option)
{
    const bool trains_lora = config->use_lora || config->lora_weights;

    if (config->typed[option])
        return false;
    if (option == DF_OPTION_BATCH_SIZE || option == DF_OPTION_LR)
        return trains_lora && df_config_batch_is_open(config);
    return config->lora_weights && (df_option_overrules_checkpoint(option) || option == DF_OPTION_AUGMENT);
}

/* Of what may be the same in other runs. */
static bool takes_for_runs(const struct df_config *config, enum df_option option)
{
    return df_command_takes(config->command, &df_options[option]) && !df_options[option].of_one_run;
}

static void add_origins(struct df_json *json, const struct df_config *config, bool is_settled)
{
    df_json_array(json, DF_CONFIG_TYPED);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (config->typed[i] && takes_for_runs(config, (enum df_option)i))
            df_json_text(json, NULL, df_options[i].name);
    }
    df_json_close(json);
    df_json_object(json, DF_CONFIG_CHOSEN);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const enum df_option option = (enum df_option)i;
        if (!config->typed[i] && takes_for_runs(config, option) && recipe_may_choose(option) &&
            (is_settled || !is_open(config, option)))
            add_value(json, &df_options[i], config);
    }
    df_json_close(json);
}

void df_config_add_origins(struct df_json *json, const struct df_config *config)
{
    add_origins(json, config, true);
}

int df_config_print(FILE *stream, const struct df_config *config)
{
    struct df_config settings = *config;
    struct df_json json = {0};

    settings.print_config = false;
    settings.config = NULL; /* what it says is in the others */
    begin(&json, config->command);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(config->command, &df_options[i]) && !is_open(config, (enum df_option)i))
            add_value(&json, &df_options[i], &settings);
    }
    df_json_object(&json, DF_CONFIG_FACTS);
    add_origins(&json, &settings, false);
    df_json_close(&json);
    df_json_close(&json);
    return df_json_show(&json, stream);
}
