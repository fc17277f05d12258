#include "split_record.h"

#include "backbone_record.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY         "split"
#define NUMBER_TEXT 24
#define IMAGES_MOST 1e12 /* a record that claims more is not believed */

/* Numbers that JSON's would round are texts. */
static bool read_number(const cJSON *object, const char *name, int base, uint64_t *number)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    char *end = NULL;

    if (!text || *text == '-' || *text == '\0')
        return false;
    *number = strtoull(text, &end, base);
    return *end == '\0';
}

static int read_fraction(const cJSON *part, struct df_split_record *split)
{
    const cJSON *fraction = cJSON_GetObjectItemCaseSensitive(part, "val_fraction");
    uint64_t seed;

    if (!cJSON_IsNumber(fraction) || !(fraction->valuedouble > 0.0 && fraction->valuedouble <= 1.0))
        return record_damaged(KEY, "val_fraction is no part of the images");
    if (!read_number(part, "split_seed", 10, &seed) || seed > INT64_MAX)
        return record_damaged(KEY, "split_seed is no seed");
    split->val_fraction = fraction->valuedouble;
    split->split_seed = (int64_t)seed;
    return 0;
}

static int read_fold(const cJSON *fold, struct df_split_record *split)
{
    const char *text = cJSON_GetStringValue(fold);

    if (!text || *text == '\0' || strlen(text) >= sizeof split->fold)
        return record_damaged(KEY, "fold is none");
    strcpy(split->fold, text);
    df_text_replace_controls(split->fold);
    return 0;
}

int split_record_parse(const cJSON *object, struct df_split_record *split)
{
    const cJSON *part = cJSON_GetObjectItemCaseSensitive(object, KEY);
    const cJSON *fold = cJSON_GetObjectItemCaseSensitive(part, "fold");
    const cJSON *images = cJSON_GetObjectItemCaseSensitive(part, "images");

    *split = (struct df_split_record){0};
    if (!part || cJSON_IsNull(part))
        return 0;
    DF_TRY(fold ? read_fold(fold, split) : read_fraction(part, split));
    if (!cJSON_IsNumber(images) || !(images->valuedouble >= 1.0 && images->valuedouble <= IMAGES_MOST))
        return record_damaged(KEY, "images is not their number");
    if (!read_number(part, "names", 16, &split->names))
        return record_damaged(KEY, "names is no digest");
    split->images = (int64_t)images->valuedouble;
    return 0;
}

void split_record_print(struct df_json *json, const struct df_split_record *split)
{
    char text[NUMBER_TEXT];

    if (split->images == 0)
        return;
    df_json_object(json, KEY);
    if (*split->fold) {
        df_json_text(json, "fold", split->fold);
    } else {
        df_json_number(json, "val_fraction", split->val_fraction);
        snprintf(text, sizeof text, "%" PRId64, split->split_seed);
        df_json_text(json, "split_seed", text);
    }
    df_json_integer(json, "images", split->images);
    snprintf(text, sizeof text, "%016" PRIx64, split->names);
    df_json_text(json, "names", text);
    df_json_close(json);
}
