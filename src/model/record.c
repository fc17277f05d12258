#include "record.h"

#include "backbone_record.h"
#include "seen_record.h"
#include "split_record.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/text.h"
#include "dinoft/version.h"

#include <cjson/cJSON.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_SIDE_MAX 32768 /* a record that claims more is not believed */

/* NULL for a member that is missing or null: it says nothing. */
static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

static int read_text(const cJSON *object, const char *name, char *destination, size_t size)
{
    const cJSON *item = member(object, name);
    const char *text = cJSON_GetStringValue(item);

    if (!item)
        return 0;
    if (!text)
        return record_damaged(name, "it is not a text");
    if (strlen(text) >= size)
        return record_damaged(name, "it is too long");
    strcpy(destination, text);
    df_text_replace_controls(destination);
    return 0;
}

/* A text of any length; NULL where there is none. */
static int read_list(const cJSON *object, const char *name, char **list)
{
    const cJSON *item = member(object, name);

    if (!item || (cJSON_IsString(item) && !*cJSON_GetStringValue(item)))
        return 0;
    if (!cJSON_IsString(item))
        return record_damaged(name, "it is not a text");
    *list = df_text_copy(cJSON_GetStringValue(item));
    if (!*list)
        return -1;
    df_text_replace_controls(*list);
    return 0;
}

static int read_names(const cJSON *names, struct df_record *record)
{
    const int count = cJSON_GetArraySize(names);

    if (names && !cJSON_IsArray(names))
        return record_damaged("class_names", "it is not a list");
    if (count == 0)
        return 0;
    record->class_names = calloc((size_t)count, sizeof *record->class_names);
    if (!record->class_names)
        return df_error_memory("class names", (unsigned long long)count * sizeof *record->class_names);
    const cJSON *item;
    cJSON_ArrayForEach(item, names)
    {
        const char *name = cJSON_GetStringValue(item);
        char *copy = name ? df_text_copy(name) : NULL;
        if (!name)
            return record_damaged("class_names", "one is not a text");
        if (!copy)
            return -1;
        df_text_replace_controls(copy);
        record->class_names[record->n_class_names++] = copy;
    }
    return 0;
}

static int read_color(const char *text, uint8_t rgb[3])
{
    char *end = NULL;
    const unsigned long color = text && text[0] == '#' ? strtoul(text + 1, &end, 16) : 0;

    if (!end || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
        return record_damaged("class_colors", "one is not a text #RRGGBB");
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(color >> (16 - 8 * c));
    return 0;
}

/* After the names. */
static int read_colors(const cJSON *colors, struct df_record *record)
{
    const int count = cJSON_GetArraySize(colors);
    int number = 0;

    if (!colors)
        return 0;
    if (!cJSON_IsArray(colors) || count != record->n_class_names || count == 0)
        return record_damaged("class_colors", "it is not a list of a colour for each name");
    record->class_colors = calloc((size_t)count, sizeof *record->class_colors);
    if (!record->class_colors)
        return df_error_memory("the colours of classes", (unsigned long long)count * 3);
    const cJSON *item;
    cJSON_ArrayForEach(item, colors)
        DF_TRY(read_color(cJSON_GetStringValue(item), record->class_colors[number++]));
    return 0;
}

static int read_img_dim(const cJSON *img_dim, struct df_record *record)
{
    for (int i = 0; img_dim && i < 2; i++) {
        const cJSON *side = cJSON_IsArray(img_dim) ? cJSON_GetArrayItem(img_dim, i) : NULL;
        if (!cJSON_IsNumber(side) || !(side->valuedouble >= 1 && side->valuedouble <= IMAGE_SIDE_MAX))
            return record_damaged("img_dim", "it is not a height and a width");
        record->img_dim[i] = (int64_t)side->valuedouble;
    }
    return 0;
}

static int read_dropout(const cJSON *dropout, struct df_record *record)
{
    if (dropout && !(cJSON_IsNumber(dropout) && dropout->valuedouble >= 0.0 && dropout->valuedouble < 1.0))
        return record_damaged("head_dropout", "it is no probability");
    record->dropout = dropout ? dropout->valuedouble : 0.0;
    return 0;
}

static int read_resize(const cJSON *object, struct df_record *record)
{
    char word[16] = "";

    DF_TRY(read_text(object, "resize", word, sizeof word));
    record->keeps_ratio = strcmp(word, "short") == 0;
    if (!*word || record->keeps_ratio)
        return 0;
    return df_error_set("the entry '%s' says resize %s, expected short", DF_RECORD_KEY, word);
}

static int read_ema(const cJSON *ema, struct df_record *record)
{
    if (ema && !(cJSON_IsNumber(ema) && ema->valuedouble >= 0.0 && ema->valuedouble < 1.0))
        return record_damaged("ema", "it is no decay");
    record->ema = ema ? ema->valuedouble : 0.0;
    return 0;
}

static int read_layers(const cJSON *object, struct df_record *record)
{
    static const char *const words[] = {DF_LAYERS(DF_CHOICE_TEXT)};
    char word[32] = "";

    DF_TRY(read_text(object, "decoder_layers", word, sizeof word));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            record->has_layers = true;
            record->layers = (enum df_layers)i;
        }
    }
    if (!*word || record->has_layers)
        return 0;
    return df_error_set("the entry '%s' says decoder_layers %s, expected last or even", DF_RECORD_KEY, word);
}

static int read_positions(const cJSON *object, struct df_record *record)
{
    static const char *const words[] = {DF_POS_INTERPOLATIONS(DF_CHOICE_TEXT)};
    char word[32] = "";

    DF_TRY(read_text(object, "pos_interpolation", word, sizeof word));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            record->pos_interpolation = (enum df_pos_interpolation)i;
            return 0;
        }
    }
    if (!*word)
        return 0;
    return df_error_set("the entry '%s' says pos_interpolation %s, expected official, huggingface or timm",
                        DF_RECORD_KEY, word);
}

static int read_lora_scale(const cJSON *scale, struct df_record *record)
{
    if (scale && !(cJSON_IsNumber(scale) && scale->valuedouble > 0.0 && scale->valuedouble <= FLT_MAX))
        return record_damaged("lora_scale", "it is no positive number");
    record->lora_scale = scale ? scale->valuedouble : 0.0;
    return 0;
}

static int read_dora(const cJSON *dora, struct df_record *record)
{
    if (dora && !cJSON_IsBool(dora))
        return record_damaged("dora", "it is neither true nor false");
    record->dora = cJSON_IsTrue(dora);
    return 0;
}

static int check_values(const struct df_record *record)
{
    struct df_mask_values values;
    int status = 0;

    if (!record->mask_values)
        return 0;
    if (df_mask_values_parse(record->mask_values, &values) != 0)
        status = df_error_context("the entry '%s', mask_values", DF_RECORD_KEY);
    else if (record->ignored_values && df_mask_values_ignore(&values, record->ignored_values) != 0)
        status = df_error_context("the entry '%s', ignored_values", DF_RECORD_KEY);
    df_mask_values_free(&values);
    return status;
}

/* A word that this version does not know may change what the model expects: better refused than guessed. */
static int check_words(struct df_record *record)
{
    struct df_vit_config config;
    struct df_image_reading reading;
    struct df_normalize normalize;

    if (*record->normalize) {
        if (df_normalize_parse(record->normalize, &normalize) != 0)
            return df_error_context("the entry '%s', normalize", DF_RECORD_KEY);
        df_normalize_text(&normalize, record->normalize);
    }
    if (*record->backbone && df_vit_config_for_hub_name(record->backbone, &config) != 0)
        return df_error_context("the entry '%s'", DF_RECORD_KEY);
    if (df_image_reading_parse(*record->image_range ? record->image_range : NULL,
                               *record->bands ? record->bands : NULL, &reading) != 0)
        return df_error_context("the entry '%s'", DF_RECORD_KEY);
    return check_values(record);
}

static int read_texts(const cJSON *object, struct df_record *record)
{
    DF_TRY(read_text(object, "backbone", record->backbone, sizeof record->backbone));
    DF_TRY(read_text(object, "dataset", record->dataset, sizeof record->dataset));
    DF_TRY(read_text(object, "normalize", record->normalize, sizeof record->normalize));
    DF_TRY(read_text(object, "lora_targets", record->lora_targets, sizeof record->lora_targets));
    DF_TRY(read_text(object, "lora_blocks", record->lora_blocks, sizeof record->lora_blocks));
    DF_TRY(read_text(object, "augmentation", record->augmentation, sizeof record->augmentation));
    DF_TRY(read_text(object, "image_range", record->image_range, sizeof record->image_range));
    DF_TRY(read_text(object, "bands", record->bands, sizeof record->bands));
    DF_TRY(read_list(object, "mask_values", &record->mask_values));
    return read_list(object, "ignored_values", &record->ignored_values);
}

int record_parse(const char *json, struct df_record *record)
{
    cJSON *object = cJSON_Parse(json);
    int status = -1;

    if (!cJSON_IsObject(object)) {
        df_error_set("the entry '%s' is not a JSON object", DF_RECORD_KEY);
        goto done;
    }
    if (read_texts(object, record) == 0 && read_img_dim(member(object, "img_dim"), record) == 0 &&
        read_resize(object, record) == 0 && read_ema(member(object, "ema"), record) == 0 &&
        read_layers(object, record) == 0 && read_positions(object, record) == 0 &&
        read_dropout(member(object, "head_dropout"), record) == 0 &&
        read_lora_scale(member(object, "lora_scale"), record) == 0 &&
        read_dora(member(object, "dora"), record) == 0 && check_words(record) == 0 &&
        split_record_parse(object, &record->split) == 0 && seen_record_parse(object, &record->seen) == 0 &&
        backbone_record_parse(object, record) == 0 && read_names(member(object, "class_names"), record) == 0)
        status = read_colors(member(object, "class_colors"), record);
done:
    cJSON_Delete(object);
    return status;
}

static void print_decoder(struct df_json *json, const struct df_segmenter_options *options)
{
    static const char *const layers[] = {DF_LAYERS(DF_CHOICE_TEXT)};

    df_json_text(json, "decoder", options->decoder);
    if (df_decoder_takes_layers(df_decoder_kind_named(options->decoder)->choice))
        df_json_text(json, "decoder_layers", layers[options->head.layers]);
    if (options->head.norm == DF_HEAD_NORM_BN)
        df_json_text(json, "head_norm", "bn");
    if (options->head.dropout > 0.0)
        df_json_number(json, "head_dropout", options->head.dropout);
}

/* What the rank and main.py's ways do not say. */
static void print_lora(struct df_json *json, const struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(segmenter);
    const struct df_vit_config *backbone = df_segmenter_backbone(segmenter);
    char targets[DF_LORA_TARGETS_TEXT], blocks[DF_LORA_BLOCKS_TEXT];

    if (options->rank == 0)
        return;
    if (df_lora_targets(&options->lora) != DF_LORA_Q_AND_V)
        df_json_text(json, "lora_targets",
                     df_lora_targets_text(options->lora.targets, backbone->ffn, targets));
    df_lora_blocks_text(&options->lora, backbone->depth, blocks);
    if (strcmp(blocks, "all") != 0)
        df_json_text(json, "lora_blocks", blocks);
    if (options->optimizer.lora_scale != 1.0)
        df_json_number(json, "lora_scale", options->optimizer.lora_scale);
    if (options->lora.dora)
        df_json_bool(json, "dora", true);
}

static void print_colors(struct df_json *json, const struct df_record *record)
{
    char text[16];

    if (!record->class_colors)
        return;
    df_json_array(json, "class_colors");
    for (int i = 0; i < record->n_class_names; i++) {
        const uint8_t *rgb = record->class_colors[i];
        snprintf(text, sizeof text, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
        df_json_text(json, NULL, text);
    }
    df_json_close(json);
}

char *record_print(const struct df_record *record, const struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(segmenter);
    struct df_json json = {0};
    char loss[DF_LOSS_TEXT];

    df_json_object(&json, NULL);
    df_json_text(&json, "version", DINOFT_VERSION);
    backbone_record_print(&json, record);
    df_json_text(&json, "dataset", record->dataset);
    df_json_text(&json, "normalize", record->normalize);
    if (record->pos_interpolation != DF_POS_OFFICIAL)
        df_json_text(&json, "pos_interpolation", df_pos_interpolation_name(record->pos_interpolation));
    if (record->mask_values)
        df_json_text(&json, "mask_values", record->mask_values);
    if (record->ignored_values)
        df_json_text(&json, "ignored_values", record->ignored_values);
    if (*record->image_range)
        df_json_text(&json, "image_range", record->image_range);
    if (*record->bands)
        df_json_text(&json, "bands", record->bands);
    split_record_print(&json, &record->split);
    if (*record->augmentation)
        df_json_text(&json, "augmentation", record->augmentation);
    print_decoder(&json, options);
    df_json_integer(&json, "rank", options->rank);
    print_lora(&json, segmenter);
    df_json_integer(&json, "n_classes", options->classes);
    if (record->img_dim[0] > 0) {
        df_json_array(&json, "img_dim");
        for (int i = 0; i < 2; i++)
            df_json_integer(&json, NULL, record->img_dim[i]);
        df_json_close(&json);
    }
    if (record->keeps_ratio)
        df_json_text(&json, "resize", "short");
    if (options->training && options->optimizer.ema > 0.0)
        df_json_number(&json, "ema", options->optimizer.ema);
    if (options->training && !df_loss_is_plain(&options->loss)) {
        df_loss_describe(&options->loss, (size_t)options->classes, loss);
        df_json_text(&json, "loss", loss);
    }
    df_json_array(&json, "class_names");
    for (int i = 0; i < record->n_class_names; i++)
        df_json_text(&json, NULL, record->class_names[i]);
    df_json_close(&json);
    print_colors(&json, record);
    const int status = seen_record_print(&json, &record->seen);
    df_json_close(&json);
    char *text = df_json_print(&json, "the checkpoint's record");
    if (text && status == 0)
        return text;
    free(text);
    return NULL;
}

void record_clear(struct df_record *record)
{
    for (int i = 0; i < record->n_class_names; i++)
        free(record->class_names[i]);
    free(record->class_names);
    free(record->class_colors);
    free(record->mask_values);
    free(record->ignored_values);
    free(record->seen.digests);
    memset(record, 0, sizeof *record);
}
