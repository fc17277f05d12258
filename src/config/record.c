/* The configuration of a run as a JSON file beside its results. */
#include "dinoft/config.h"

#include "dinoft/error.h"
#include "dinoft/json_file.h"
#include "dinoft/version.h"
#include "options.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

/* cJSON keeps numbers as doubles, which would round a large seed: integers go in as text. */
static cJSON *integer_node(int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return cJSON_CreateRaw(text);
}

static cJSON *string_node(const char *text)
{
    return text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static cJSON *pair_node(const int64_t value[2])
{
    char text[64];
    snprintf(text, sizeof text, "[%" PRId64 ", %" PRId64 "]", value[0], value[1]);
    return cJSON_CreateRaw(text);
}

static cJSON *value_node(const struct df_option_info *option, const struct df_config *config)
{
    const void *value = (const char *)config + option->offset;
    switch (option->kind) {
    case DF_KIND_STRING:
    case DF_KIND_CHOICE:
        return string_node(*(const char *const *)value);
    case DF_KIND_INTEGER:
        return integer_node(*(const int64_t *)value);
    case DF_KIND_FLOAT:
        return cJSON_CreateNumber(*(const double *)value);
    case DF_KIND_SWITCH:
        return cJSON_CreateBool(*(const bool *)value);
    case DF_KIND_PAIR:
        return pair_node(value);
    }
    return NULL;
}

/* Takes over the node; false when out of memory. */
static bool add_node(cJSON *object, const char *name, cJSON *node)
{
    if (node && cJSON_AddItemToObject(object, name, node))
        return true;
    cJSON_Delete(node);
    return false;
}

static cJSON *inputs_node(const struct df_config *config)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list && i < config->n_inputs; i++) {
        if (!cJSON_AddItemToArray(list, cJSON_CreateString(config->inputs[i]))) {
            cJSON_Delete(list);
            list = NULL;
        }
    }
    return list;
}

static cJSON *config_node(const struct df_config *config)
{
    cJSON *object = cJSON_CreateObject();
    if (!object || !add_node(object, "dinoft", cJSON_CreateString(DINOFT_VERSION)) ||
        !add_node(object, "command", cJSON_CreateString(df_command_name(config->command))))
        goto fail;
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const struct df_option_info *option = &df_options[i];
        if (df_command_takes(config->command, option) &&
            !add_node(object, option->name, value_node(option, config)))
            goto fail;
    }
    if (df_commands[config->command].max_inputs == 0 || add_node(object, "inputs", inputs_node(config)))
        return object;
fail:
    cJSON_Delete(object);
    return NULL;
}

int df_config_write_json(const char *path, const struct df_config *config)
{
    cJSON *object = config_node(config);
    if (!object)
        return df_error_set("%s: out of memory while writing the configuration", path);
    int status = df_json_write(path, object);
    cJSON_Delete(object);
    return status;
}
