#include "config_file.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"
#include "dinoft/version.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A number of JSON is a double: whole numbers up to here are exact. */
#define EXACT_INTEGER 9007199254740992.0

/* --- the file --- */

static bool read_version(const char *text, int parts[3])
{
    int end = 0;

    return sscanf(text, "%6d.%6d.%6d%n", &parts[0], &parts[1], &parts[2], &end) == 3 && text[end] == '\0' &&
           strspn(text, "0123456789.") == (size_t)end;
}

static int check_version(struct df_config_file *file, const cJSON *tree)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "dinoft");
    int theirs[3], ours[3] = {0};

    if (!item) /* written by hand */
        return 0;
    if (!cJSON_IsString(item) || !read_version(item->valuestring, theirs))
        return df_error_set("%s: dinoft: expected a version such as \"%s\"", file->path, DINOFT_VERSION);
    read_version(DINOFT_VERSION, ours);
    for (int i = 0; i < 3; i++) {
        if (theirs[i] != ours[i]) {
            file->newer = theirs[i] > ours[i];
            break;
        }
    }
    return 0;
}

static int check_command(const struct df_config_file *file, const cJSON *tree)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "command");
    const char *name = df_command_name(file->command);

    if (!item || (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0))
        return 0;
    return df_error_set("%s: command: expected \"%s\", whose settings --config reads", file->path, name);
}

static const struct df_option_info *find_option(const struct df_config_file *file, const char *key)
{
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(file->command, &df_options[i]) && strcmp(df_options[i].name, key) == 0)
            return &df_options[i];
    }
    return NULL;
}

static int unknown_key(const struct df_config_file *file, const char *key)
{
    const char *names[DF_OPTION_COUNT];
    int count = 0;

    if (file->newer) {
        df_log("warning: %s: '%.100s' is not known to this version, and changes nothing", file->path, key);
        return 0;
    }
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(file->command, &df_options[i]))
            names[count++] = df_options[i].name;
    }
    const int nearest = df_text_nearest(key, names, count);
    if (nearest >= 0)
        return df_error_set("%s: unknown key '%.100s': did you mean %s?", file->path, key, names[nearest]);
    return df_error_set("%s: unknown key '%.100s': %s has no such flag", file->path, key,
                        df_command_name(file->command));
}

/* --- one value --- */

static int wrong_type(const struct df_option_info *option, const char *expected)
{
    return df_error_set("%s: expected %s", option->name, expected);
}

/* Numbers that JSON would round are written as text. */
#define NUMBER_TEXT 32
static bool number_text(const cJSON *item, bool whole, char text[NUMBER_TEXT])
{
    if (whole && cJSON_IsString(item))
        return snprintf(text, NUMBER_TEXT, "%s", item->valuestring) < NUMBER_TEXT;
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return false;
    if (!whole) {
        snprintf(text, NUMBER_TEXT, "%.17g", item->valuedouble);
        return true;
    }
    if (item->valuedouble != floor(item->valuedouble) || fabs(item->valuedouble) > EXACT_INTEGER)
        return false;
    snprintf(text, NUMBER_TEXT, "%" PRId64, (int64_t)item->valuedouble);
    return true;
}

static int take_number(struct df_config_file *file, const struct df_option_info *option, const cJSON *item)
{
    const bool whole = option->kind == DF_KIND_INTEGER;
    char text[NUMBER_TEXT];

    if (!number_text(item, whole, text))
        return wrong_type(option, whole ? "a whole number (above 2^53 as a text)" : "a number");
    if (strcmp(text, option->initial) == 0) /* which may lie outside the range, to mean "not given" */
        return 0;
    return df_option_set(option, text, NULL, &file->found);
}

/* Of whole numbers or, for a range, of any. */
static int take_pair(struct df_config_file *file, const struct df_option_info *option, const cJSON *item)
{
    const bool whole = option->kind == DF_KIND_PAIR;
    char first[NUMBER_TEXT], second[NUMBER_TEXT];

    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 ||
        !number_text(cJSON_GetArrayItem(item, 0), whole, first) ||
        !number_text(cJSON_GetArrayItem(item, 1), whole, second))
        return wrong_type(option, whole ? "an array of two whole numbers" : "an array of two numbers");
    return df_option_set(option, first, second, &file->found);
}

static int take_value(struct df_config_file *file, const struct df_option_info *option, const cJSON *item)
{
    switch (option->kind) {
    case DF_KIND_STRING:
    case DF_KIND_CHOICE:
        if (!cJSON_IsString(item))
            return wrong_type(option, "a text");
        return df_option_set(option, item->valuestring, NULL, &file->found);
    case DF_KIND_INTEGER:
    case DF_KIND_FLOAT:
        return take_number(file, option, item);
    case DF_KIND_SWITCH:
        if (!cJSON_IsBool(item))
            return wrong_type(option, "true or false");
        return df_option_set(option, cJSON_IsTrue(item) ? "on" : "off", NULL, &file->found);
    case DF_KIND_PAIR:
    case DF_KIND_RANGE:
        return take_pair(file, option, item);
    }
    return -1;
}

static bool is_no_flag(const char *key)
{
    return strcmp(key, "dinoft") == 0 || strcmp(key, "command") == 0 || strcmp(key, DF_CONFIG_FACTS) == 0;
}

static int read_item(struct df_config_file *file, const cJSON *item)
{
    if (is_no_flag(item->string))
        return 0;
    const struct df_option_info *option = find_option(file, item->string);
    if (!option)
        return unknown_key(file, item->string);
    if (option->of_one_run || (cJSON_IsNull(item) && !option->initial && option->kind != DF_KIND_SWITCH))
        return 0;
    if (file->has[option - df_options])
        return df_error_set("%s: %s is there twice", file->path, option->name);
    file->has[option - df_options] = true;
    if (cJSON_IsNull(item) && option == &df_options[DF_OPTION_WARMUP_STEPS]) { /* none, or one by epochs */
        file->found.warmup_steps = NULL;
        return 0;
    }
    return take_value(file, option, item) == 0 ? 0 : df_error_context("%s", file->path);
}

/* --- what its facts say of them --- */

static int read_typed(struct df_config_file *file, const cJSON *typed)
{
    const cJSON *item;

    if (typed && !cJSON_IsArray(typed))
        return df_error_set("%s: %s, %s: expected a list of names", file->path, DF_CONFIG_FACTS,
                            DF_CONFIG_TYPED);
    file->tells = typed != NULL;
    cJSON_ArrayForEach(item, typed)
    {
        const struct df_option_info *option =
            cJSON_IsString(item) ? find_option(file, item->valuestring) : NULL;
        if (option) /* else of another version */
            file->typed[option - df_options] = true;
    }
    return 0;
}

/* A value that somebody has changed in the file since is no longer the one that was chosen. */
static int read_chosen(struct df_config_file *file, const cJSON *tree, const cJSON *chosen)
{
    const cJSON *item;

    if (chosen && !cJSON_IsObject(chosen))
        return df_error_set("%s: %s, %s: expected an object of values", file->path, DF_CONFIG_FACTS,
                            DF_CONFIG_CHOSEN);
    cJSON_ArrayForEach(item, chosen)
    {
        const struct df_option_info *option = find_option(file, item->string);
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(tree, item->string);
        if (option && value && recipe_may_choose((enum df_option)(option - df_options)))
            file->chosen[option - df_options] = cJSON_Compare(item, value, true);
    }
    return 0;
}

static int read_facts(struct df_config_file *file, const cJSON *tree)
{
    const cJSON *facts = cJSON_GetObjectItemCaseSensitive(tree, DF_CONFIG_FACTS);

    DF_TRY(read_typed(file, cJSON_GetObjectItemCaseSensitive(facts, DF_CONFIG_TYPED)));
    return read_chosen(file, tree, cJSON_GetObjectItemCaseSensitive(facts, DF_CONFIG_CHOSEN));
}

int df_config_file_read(struct df_config_file *file, const cJSON *tree)
{
    const cJSON *item;

    if (!cJSON_IsObject(tree))
        return df_error_set("%s holds no settings: expected a JSON object", file->path);
    DF_TRY(check_version(file, tree));
    DF_TRY(check_command(file, tree));
    cJSON_ArrayForEach(item, tree)
    {
        DF_TRY(read_item(file, item));
    }
    return read_facts(file, tree);
}
