/* The configuration of a run as a JSON file beside its results. */
#include "dinoft/config.h"

#include "dinoft/json_writer.h"
#include "dinoft/version.h"
#include "options.h"

static void add_pair(struct df_json *json, const char *name, const int64_t value[2])
{
    df_json_array(json, name);
    df_json_integer(json, NULL, value[0]);
    df_json_integer(json, NULL, value[1]);
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
        df_json_integer(json, option->name, *(const int64_t *)value);
        break;
    case DF_KIND_FLOAT:
        df_json_number(json, option->name, *(const double *)value);
        break;
    case DF_KIND_SWITCH:
        df_json_bool(json, option->name, *(const bool *)value);
        break;
    case DF_KIND_PAIR:
        add_pair(json, option->name, value);
        break;
    }
}

int df_config_write_json(const char *path, const struct df_config *config)
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    df_json_text(&json, "dinoft", DINOFT_VERSION);
    df_json_text(&json, "command", df_command_name(config->command));
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(config->command, &df_options[i]))
            add_value(&json, &df_options[i], config);
    }
    if (df_commands[config->command].max_inputs > 0) {
        df_json_array(&json, "inputs");
        for (int i = 0; i < config->n_inputs; i++)
            df_json_text(&json, NULL, config->inputs[i]);
        df_json_close(&json);
    }
    df_json_close(&json);
    return df_json_write(&json, path);
}
