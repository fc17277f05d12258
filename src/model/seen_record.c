#include "seen_record.h"

#include "backbone_record.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY         "trained_images"
#define DIGITS      ((size_t)DF_SEEN_DIGEST_BITS / 4) /* of a digest; they stand one behind the other */
#define IMAGES_MOST 1e12                              /* a record that claims more is not believed */

static int read_digests(const char *text, struct df_seen_images *seen)
{
    const size_t count = strlen(text) / DIGITS;
    char one[DIGITS + 1] = "";

    if (count == 0 || count > DF_SEEN_IMAGES_MOST || strlen(text) % DIGITS != 0 ||
        strspn(text, "0123456789abcdef") != strlen(text))
        return record_damaged(KEY, "digests are none");
    seen->digests = calloc(count, sizeof *seen->digests);
    if (!seen->digests)
        return df_error_memory("digests of images", (unsigned long long)count * sizeof *seen->digests);
    for (size_t i = 0; i < count; i++) {
        memcpy(one, text + i * DIGITS, DIGITS);
        seen->digests[i] = strtoull(one, NULL, 16);
        if (i > 0 && seen->digests[i] <= seen->digests[i - 1])
            return record_damaged(KEY, "digests are not in order");
        seen->count++;
    }
    return 0;
}

int seen_record_parse(const cJSON *object, struct df_seen_images *seen)
{
    const cJSON *part = cJSON_GetObjectItemCaseSensitive(object, KEY);
    const cJSON *images = cJSON_GetObjectItemCaseSensitive(part, "images");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(part, "digests"));

    if (!part || cJSON_IsNull(part))
        return 0;
    if (!text)
        return record_damaged(KEY, "digests are no text");
    DF_TRY(read_digests(text, seen));
    if (!cJSON_IsNumber(images) ||
        !(images->valuedouble >= (double)seen->count && images->valuedouble <= IMAGES_MOST))
        return record_damaged(KEY, "images is not their number");
    seen->images = (int64_t)images->valuedouble;
    return 0;
}

int seen_record_print(struct df_json *json, const struct df_seen_images *seen)
{
    const size_t bytes = (size_t)seen->count * DIGITS + 1;
    char *text = seen->count > 0 ? malloc(bytes) : NULL;

    if (seen->count == 0)
        return 0;
    if (!text)
        return df_error_memory("digests of images", bytes);
    for (int64_t i = 0; i < seen->count; i++)
        snprintf(text + (size_t)i * DIGITS, DIGITS + 1, "%0*" PRIx64, (int)DIGITS, seen->digests[i]);
    df_json_object(json, KEY);
    df_json_integer(json, "images", seen->images);
    df_json_text(json, "digests", text);
    df_json_close(json);
    free(text);
    return 0;
}
