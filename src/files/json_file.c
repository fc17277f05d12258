#include "dinoft/json_file.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

cJSON *df_json_number(double value)
{
    return isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
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
