/* --config: what a run's NAME_config.json says, where no flag is typed. */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/log.h"
#include "dinoft/text.h"
#include "dinoft/version.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_MOST ((size_t)1 << 20) /* bytes */
#define EXACT_INTEGER                                                                                        \
    9007199254740992.0 /* a number of JSON is a double: whole numbers up to here are exact */

struct reader {
    const char *path;
    enum df_command command;
    bool newer; /* of a version after this one: it may have keys that are not known here */
    bool has[DF_OPTION_COUNT];
    struct df_config found; /* only where `has` says so */
};

/* --- the file --- */

static bool read_version(const char *text, int parts[3])
{
    int end = 0;

    return sscanf(text, "%6d.%6d.%6d%n", &parts[0], &parts[1], &parts[2], &end) == 3 && text[end] == '\0' &&
           strspn(text, "0123456789.") == (size_t)end;
}

static int check_version(struct reader *reader, const cJSON *tree)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "dinoft");
    int theirs[3], ours[3] = {0};

    if (!item) /* written by hand */
        return 0;
    if (!cJSON_IsString(item) || !read_version(item->valuestring, theirs))
        return df_error_set("%s: dinoft: expected a version such as \"%s\"", reader->path, DINOFT_VERSION);
    read_version(DINOFT_VERSION, ours);
    for (int i = 0; i < 3; i++) {
        if (theirs[i] != ours[i]) {
            reader->newer = theirs[i] > ours[i];
            break;
        }
    }
    return 0;
}

static int check_command(const struct reader *reader, const cJSON *tree)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "command");
    const char *name = df_command_name(reader->command);

    if (!item || (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0))
        return 0;
    return df_error_set("%s: command: expected \"%s\", whose settings --config reads", reader->path, name);
}

static const struct df_option_info *find_option(const struct reader *reader, const char *key)
{
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(reader->command, &df_options[i]) && strcmp(df_options[i].name, key) == 0)
            return &df_options[i];
    }
    return NULL;
}

static int unknown_key(const struct reader *reader, const char *key)
{
    const char *names[DF_OPTION_COUNT];
    int count = 0;

    if (reader->newer) {
        df_log("%s: '%.100s' is not known to this version, and changes nothing", reader->path, key);
        return 0;
    }
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(reader->command, &df_options[i]))
            names[count++] = df_options[i].name;
    }
    const int nearest = df_text_nearest(key, names, count);
    if (nearest >= 0)
        return df_error_set("%s: unknown key '%.100s': did you mean %s?", reader->path, key, names[nearest]);
    return df_error_set("%s: unknown key '%.100s': %s has no such flag", reader->path, key,
                        df_command_name(reader->command));
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

static int take_number(struct reader *reader, const struct df_option_info *option, const cJSON *item)
{
    const bool whole = option->kind == DF_KIND_INTEGER;
    char text[NUMBER_TEXT];

    if (!number_text(item, whole, text))
        return wrong_type(option, whole ? "a whole number (above 2^53 as a text)" : "a number");
    if (strcmp(text, option->initial) == 0) /* which may lie outside the range, to mean "not given" */
        return 0;
    return df_option_set(option, text, NULL, &reader->found);
}

static int take_pair(struct reader *reader, const struct df_option_info *option, const cJSON *item)
{
    char first[NUMBER_TEXT], second[NUMBER_TEXT];

    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 ||
        !number_text(cJSON_GetArrayItem(item, 0), true, first) ||
        !number_text(cJSON_GetArrayItem(item, 1), true, second))
        return wrong_type(option, "an array of two whole numbers");
    return df_option_set(option, first, second, &reader->found);
}

static int take_value(struct reader *reader, const struct df_option_info *option, const cJSON *item)
{
    switch (option->kind) {
    case DF_KIND_STRING:
    case DF_KIND_CHOICE:
        if (!cJSON_IsString(item))
            return wrong_type(option, "a text");
        return df_option_set(option, item->valuestring, NULL, &reader->found);
    case DF_KIND_INTEGER:
    case DF_KIND_FLOAT:
        return take_number(reader, option, item);
    case DF_KIND_SWITCH:
        if (!cJSON_IsBool(item))
            return wrong_type(option, "true or false");
        return df_option_set(option, cJSON_IsTrue(item) ? "on" : "off", NULL, &reader->found);
    case DF_KIND_PAIR:
        return take_pair(reader, option, item);
    }
    return -1;
}

static bool is_no_flag(const char *key)
{
    return strcmp(key, "dinoft") == 0 || strcmp(key, "command") == 0 || strcmp(key, DF_CONFIG_FACTS) == 0;
}

static int read_item(struct reader *reader, const cJSON *item)
{
    if (is_no_flag(item->string))
        return 0;
    const struct df_option_info *option = find_option(reader, item->string);
    if (!option)
        return unknown_key(reader, item->string);
    if (option->of_one_run || (cJSON_IsNull(item) && !option->initial && option->kind != DF_KIND_SWITCH))
        return 0;
    if (reader->has[option - df_options])
        return df_error_set("%s: %s is there twice", reader->path, option->name);
    reader->has[option - df_options] = true;
    return take_value(reader, option, item) == 0 ? 0 : df_error_context("%s", reader->path);
}

static int read_tree(struct reader *reader, const cJSON *tree)
{
    const cJSON *item;

    if (!cJSON_IsObject(tree))
        return df_error_set("%s holds no settings: expected a JSON object", reader->path);
    DF_TRY(check_version(reader, tree));
    DF_TRY(check_command(reader, tree));
    cJSON_ArrayForEach(item, tree)
    {
        DF_TRY(read_item(reader, item));
    }
    return 0;
}

/* --- into the configuration --- */

static bool is_equal(const struct df_option_info *option, const struct df_config *a,
                     const struct df_config *b)
{
    const void *first = (const char *)a + option->offset, *second = (const char *)b + option->offset;
    const char *text, *other;

    switch (option->kind) {
    case DF_KIND_STRING:
        text = *(const char *const *)first;
        other = *(const char *const *)second;
        return text && other ? strcmp(text, other) == 0 : text == other;
    case DF_KIND_CHOICE:
        return *(const int *)first == *(const int *)second;
    case DF_KIND_INTEGER:
        return *(const int64_t *)first == *(const int64_t *)second;
    case DF_KIND_FLOAT:
        return *(const double *)first == *(const double *)second;
    case DF_KIND_SWITCH:
        return *(const bool *)first == *(const bool *)second;
    case DF_KIND_PAIR:
        return memcmp(first, second, sizeof(int64_t[2])) == 0;
    }
    return false;
}

static void copy_value(const struct df_option_info *option, const struct df_config *from,
                       struct df_config *to)
{
    static const size_t sizes[] = {[DF_KIND_STRING] = sizeof(char *),   [DF_KIND_CHOICE] = sizeof(int),
                                   [DF_KIND_INTEGER] = sizeof(int64_t), [DF_KIND_FLOAT] = sizeof(double),
                                   [DF_KIND_SWITCH] = sizeof(bool),     [DF_KIND_PAIR] = sizeof(int64_t[2])};

    memcpy(df_option_value(option, to), (const char *)from + option->offset, sizes[option->kind]);
}

/* Values that go with another one go with it where that is replaced by what is typed now. A schedule of the
 * file's own has left 0 where it has no use for the recipe's value. typed: on the command line. */
static bool is_replaced(const struct reader *reader, const bool *typed, const struct df_config *config,
                        enum df_option option)
{
    switch (option) {
    case DF_OPTION_WEIGHTS:
        return typed[DF_OPTION_SIZE] || typed[DF_OPTION_DINO_TYPE];
    case DF_OPTION_SIZE:
    case DF_OPTION_DINO_TYPE:
        return typed[DF_OPTION_WEIGHTS];
    case DF_OPTION_N_CLASSES:
    case DF_OPTION_CLASS_NAMES:
    case DF_OPTION_MASK_VALUES:
        return typed[DF_OPTION_DATASET] && config->dataset != DF_DATASET_FOLDER;
    case DF_OPTION_WARMUP_STEPS:
        return typed[DF_OPTION_WARMUP_EPOCHS] ||
               (typed[DF_OPTION_RECIPE] && df_recipe_is_reference(config->recipe)) ||
               (typed[DF_OPTION_SCHEDULE] && config->schedule == DF_SCHEDULE_ONECYCLE);
    case DF_OPTION_WARMUP_EPOCHS:
        return typed[DF_OPTION_WARMUP_STEPS] ||
               (config->schedule == DF_SCHEDULE_ONECYCLE &&
                (typed[DF_OPTION_SCHEDULE] || reader->found.warmup_epochs == 0));
    case DF_OPTION_MIN_LR:
        return !df_schedule_falls_to_min(config->schedule) &&
               (typed[DF_OPTION_SCHEDULE] || reader->found.min_lr == 0);
    case DF_OPTION_LR_LORA:
        return typed[DF_OPTION_USE_LORA] && !config->use_lora;
    case DF_OPTION_NORMALIZE: /* what auto became */
        return typed[DF_OPTION_RECIPE] && config->recipe != reader->found.recipe;
    default:
        return false;
    }
}

/* Whether the file says it, rather than repeats what its recipe or nothing says. These two a checkpoint would
 * say otherwise. */
static bool is_said(const struct reader *reader, const struct df_config *usual, enum df_option option)
{
    return reader->has[option] && (option == DF_OPTION_IMG_DIM || option == DF_OPTION_USE_LORA ||
                                   !is_equal(&df_options[option], &reader->found, usual));
}

/* As if what differs from the file's own recipe had been typed; the recipe itself comes first, since others
 * depend on it. */
static void take_over(const struct reader *reader, struct df_config *config)
{
    struct df_config usual;
    bool typed[DF_OPTION_COUNT];

    memcpy(typed, config->typed, sizeof typed);
    df_config_set_defaults(&usual);
    usual.command = config->command;
    if (!typed[DF_OPTION_RECIPE] && is_said(reader, &usual, DF_OPTION_RECIPE)) {
        config->recipe = reader->found.recipe;
        config->typed[DF_OPTION_RECIPE] = true;
    }
    usual.recipe = reader->found.recipe;
    df_config_apply_recipe(&usual);
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const enum df_option option = (enum df_option)i;
        if (option == DF_OPTION_RECIPE || typed[i] || !is_said(reader, &usual, option) ||
            is_replaced(reader, typed, config, option))
            continue;
        copy_value(&df_options[i], &reader->found, config);
        config->typed[i] = true;
    }
}

int df_config_read_file(struct df_config *config)
{
    struct reader reader = {.path = config->config, .command = config->command};

    df_config_set_defaults(&reader.found);
    config->file = df_json_read(config->config, FILE_MOST);
    if (!config->file)
        return df_error_context("--config");
    if (read_tree(&reader, config->file) != 0)
        return df_error_context("--config");
    take_over(&reader, config);
    return 0;
}

void df_config_free(struct df_config *config)
{
    cJSON_Delete(config->file);
    config->file = NULL;
}
