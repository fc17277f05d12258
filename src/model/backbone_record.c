#include "backbone_record.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_KEY        "backbone_file"
#define SHAPE_KEY       "backbone_shape"
#define FINGERPRINT_KEY "fingerprint"
#define FFN_KEY         "ffn"
#define FAMILY_KEY      "family"
#define BIAS_KEY        "qkv_bias"
#define NUMBERS         6

/* The numbers of a shape by their names in the record. */
static const struct number {
    const char *name;
    size_t offset; /* in struct df_vit_config, an int64_t */
    int64_t least, most;
} numbers[NUMBERS] = {
    {"dim", offsetof(struct df_vit_config, dim), 1, DF_VIT_MAX_DIM},
    {"depth", offsetof(struct df_vit_config, depth), 1, DF_VIT_MAX_DEPTH},
    {"heads", offsetof(struct df_vit_config, heads), 1, DF_VIT_MAX_DIM},
    {"patch", offsetof(struct df_vit_config, patch), 1, DF_VIT_MAX_PATCH},
    {"registers", offsetof(struct df_vit_config, registers), 0, DF_VIT_MAX_REGISTERS},
    {"ffn_hidden", offsetof(struct df_vit_config, ffn_hidden), 1, DF_VIT_MAX_HIDDEN},
};

static int64_t number_of(const struct df_vit_config *shape, int i)
{
    int64_t value;
    memcpy(&value, (const char *)shape + numbers[i].offset, sizeof value);
    return value;
}

static const char *ffn_name(enum df_ffn ffn)
{
    return ffn == DF_FFN_SWIGLU ? "swiglu" : "mlp";
}

/* --- reading --- */

int record_damaged(const char *key, const char *part)
{
    return df_error_set("the entry '%s' has a damaged %s: %s", DF_RECORD_KEY, key, part);
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Which of two words a member is; -1 for another. */
static int read_choice(const cJSON *object, const char *name, const char *first, const char *second)
{
    const char *text = cJSON_GetStringValue(member(object, name));
    if (!text)
        return -1;
    return strcmp(text, first) == 0 ? 0 : strcmp(text, second) == 0 ? 1 : -1;
}

static int parse_shape(const cJSON *object, struct df_vit_config *shape)
{
    const int family = read_choice(object, FAMILY_KEY, df_family_name(DF_DINOV2), df_family_name(DF_DINOV3));
    const int ffn = read_choice(object, FFN_KEY, ffn_name(DF_FFN_MLP), ffn_name(DF_FFN_SWIGLU));

    if (family < 0 || ffn < 0)
        return record_damaged(SHAPE_KEY, family < 0 ? FAMILY_KEY : FFN_KEY);
    shape->family = (enum df_family)family;
    shape->ffn = (enum df_ffn)ffn;
    for (int i = 0; i < NUMBERS; i++) {
        const cJSON *item = member(object, numbers[i].name);
        if (!cJSON_IsNumber(item) ||
            !(item->valuedouble >= (double)numbers[i].least && item->valuedouble <= (double)numbers[i].most))
            return record_damaged(SHAPE_KEY, numbers[i].name);
        const int64_t value = (int64_t)item->valuedouble;
        memcpy((char *)shape + numbers[i].offset, &value, sizeof value);
    }
    if (shape->dim % shape->heads != 0)
        return record_damaged(SHAPE_KEY, "heads");
    shape->head_size = shape->dim / shape->heads;
    if (member(object, BIAS_KEY) && !cJSON_IsBool(member(object, BIAS_KEY)))
        return record_damaged(SHAPE_KEY, BIAS_KEY);
    shape->qkv_bias = !cJSON_IsFalse(member(object, BIAS_KEY)); /* older ones name the 7B, which has none */
    return 0;
}

static int parse_values(const cJSON *list, struct df_fingerprint *fingerprint)
{
    const int i = fingerprint->count++;
    const cJSON *item;
    int count = 0;

    if (!cJSON_IsArray(list) || strlen(list->string) >= DF_FINGERPRINT_NAME)
        return record_damaged(FINGERPRINT_KEY, list->string);
    snprintf(fingerprint->tensors[i].name, DF_FINGERPRINT_NAME, "%s", list->string);
    df_text_replace_controls(fingerprint->tensors[i].name);
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
            return record_damaged(FINGERPRINT_KEY, list->string);
        if (count < DF_FINGERPRINT_VALUES)
            fingerprint->tensors[i].values[count++] = item->valuedouble;
    }
    fingerprint->tensors[i].count = count;
    return 0;
}

/* A later version may keep more than this one compares. */
static int parse_fingerprint(const cJSON *object, struct df_fingerprint *fingerprint)
{
    const cJSON *item;

    if (!cJSON_IsObject(object))
        return record_damaged(FINGERPRINT_KEY, "it is not an object");
    cJSON_ArrayForEach(item, object)
    {
        if (fingerprint->count < DF_FINGERPRINT_TENSORS)
            DF_TRY(parse_values(item, fingerprint));
    }
    return 0;
}

int backbone_record_parse(const cJSON *object, struct df_record *record)
{
    struct df_trained_on *trained_on = &record->trained_on;
    const char *file = cJSON_GetStringValue(member(object, FILE_KEY));
    const cJSON *shape = member(object, SHAPE_KEY), *fingerprint = member(object, FINGERPRINT_KEY);

    if (file) { /* for people; bytes that are not UTF-8 make it longer in the record */
        snprintf(trained_on->file, sizeof trained_on->file, "%s", file);
        df_text_replace_controls(trained_on->file);
    }
    if (shape)
        DF_TRY(parse_shape(shape, &trained_on->shape));
    else if (*record->backbone)
        DF_TRY(df_vit_config_for_hub_name(record->backbone, &trained_on->shape));
    trained_on->has_shape = shape || *record->backbone;
    return fingerprint ? parse_fingerprint(fingerprint, &trained_on->fingerprint) : 0;
}

/* --- writing --- */

static void print_shape(struct df_json *json, const struct df_vit_config *shape)
{
    df_json_object(json, SHAPE_KEY);
    df_json_text(json, FAMILY_KEY, df_family_name(shape->family));
    df_json_text(json, FFN_KEY, ffn_name(shape->ffn));
    for (int i = 0; i < NUMBERS; i++)
        df_json_integer(json, numbers[i].name, number_of(shape, i));
    if (!shape->qkv_bias)
        df_json_bool(json, BIAS_KEY, false);
    df_json_close(json);
}

static void print_fingerprint(struct df_json *json, const struct df_fingerprint *fingerprint)
{
    df_json_object(json, FINGERPRINT_KEY);
    for (int i = 0; i < fingerprint->count; i++) {
        df_json_array(json, fingerprint->tensors[i].name);
        for (int k = 0; k < fingerprint->tensors[i].count; k++)
            df_json_number(json, NULL, fingerprint->tensors[i].values[k]);
        df_json_close(json);
    }
    df_json_close(json);
}

void backbone_record_print(struct df_json *json, const struct df_record *record)
{
    const struct df_trained_on *trained_on = &record->trained_on;

    df_json_text(json, "backbone", record->backbone);
    if (*trained_on->file)
        df_json_text(json, FILE_KEY, trained_on->file);
    if (trained_on->has_shape)
        print_shape(json, &trained_on->shape);
    if (trained_on->fingerprint.count > 0)
        print_fingerprint(json, &trained_on->fingerprint);
}

/* --- what there is to say of it --- */

int df_record_set_backbone(struct df_record *record, const struct df_state *backbone,
                           const struct df_vit_config *config, const char *path)
{
    const char *hub_name = df_vit_hub_name_of(config, path), *slash = strrchr(path, '/');
    struct df_trained_on *trained_on = &record->trained_on;

    snprintf(record->backbone, sizeof record->backbone, "%s", hub_name ? hub_name : "");
    snprintf(trained_on->file, sizeof trained_on->file, "%s", slash ? slash + 1 : path);
    trained_on->has_shape = true;
    trained_on->shape = *config;
    record->pos_interpolation = config->pos_grid > 0 ? config->pos_interpolation : DF_POS_OFFICIAL;
    return df_fingerprint_take(backbone, config, &trained_on->fingerprint) == 0
               ? 0
               : df_error_context("%s", path);
}

static bool same_shape(const struct df_vit_config *a, const struct df_vit_config *b)
{
    bool same = a->family == b->family && a->ffn == b->ffn;
    for (int i = 0; i < NUMBERS; i++)
        same = same && number_of(a, i) == number_of(b, i);
    return same;
}

const char *df_trained_on_text(const struct df_trained_on *trained_on, char text[DF_TRAINED_ON_TEXT])
{
    char shape[DF_VIT_TEXT] = "of other dimensions than the published ones";

    if (trained_on->has_shape)
        df_vit_describe(&trained_on->shape, shape);
    if (*trained_on->file)
        snprintf(text, DF_TRAINED_ON_TEXT, "%s (%s)", shape, trained_on->file);
    else
        snprintf(text, DF_TRAINED_ON_TEXT, "%s", shape);
    return text;
}

int df_checkpoint_check_shape(const struct df_checkpoint *checkpoint, const char *path,
                              const struct df_vit_config *config, const char *weights)
{
    const struct df_trained_on *trained_on = &checkpoint->record.trained_on;
    char trained[DF_TRAINED_ON_TEXT], found[DF_VIT_TEXT];

    if (!trained_on->has_shape || same_shape(&trained_on->shape, config))
        return 0;
    return df_error_set("%s was trained on %s, %s is %s", path, df_trained_on_text(trained_on, trained),
                        weights, df_vit_describe(config, found));
}

int df_checkpoint_check_trained_on(const struct df_checkpoint *checkpoint, const char *path,
                                   const struct df_state *backbone, const struct df_vit_config *config,
                                   const char *weights)
{
    const struct df_trained_on *trained_on = &checkpoint->record.trained_on;
    char trained[DF_TRAINED_ON_TEXT], difference[DF_FINGERPRINT_DIFFERENCE];

    DF_TRY(df_checkpoint_check_shape(checkpoint, path, config, weights));
    if (!df_fingerprint_fits(&trained_on->fingerprint, backbone, difference))
        return df_error_set("%s was trained on %s, %s has other values: %s", path,
                            df_trained_on_text(trained_on, trained), weights, difference);
    return 0;
}
