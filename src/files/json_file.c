#include "dinoft/json_file.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *df_json_number(double value)
{
    return isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
}

cJSON *df_json_exact(double value)
{
    char text[40];

    if (!isfinite(value))
        return cJSON_CreateNull();
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return cJSON_CreateRaw(text);
}

cJSON *df_json_text(const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const size_t length = strlen(text);
    char *valid = malloc(3 * length + 1), *out = valid;

    if (!valid)
        return NULL;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        const size_t step = df_text_code_point(text + at, length - at, &code);
        memcpy(out, step > 0 ? text + at : replacement, step > 0 ? step : 3);
        out += step > 0 ? step : 3;
        at += step > 0 ? step : 1;
    }
    *out = '\0';
    cJSON *node = cJSON_CreateString(valid);
    free(valid);
    return node;
}

int df_json_write(const char *path, const cJSON *tree)
{
    char *text = cJSON_Print(tree);
    if (!text)
        return df_error_set("out of memory: %s", path);
    size_t length = strlen(text);
    text[length] = '\n'; /* a text file ends with a newline; it takes the terminator's place */
    int status = df_atomic_write(path, text, length + 1);
    cJSON_free(text);
    return status;
}
