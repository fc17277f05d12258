#include "dinoft/json_read.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* cJSON stops where a value ends; what follows must be white space. */
static bool is_blank(const char *text, const char *end)
{
    while (text < end && strchr(" \t\r\n", *text) && *text != '\0')
        text++;
    return text == end;
}

/* NULL with the error set. cJSON does not say that memory ran out; malloc() does. */
static cJSON *parse(const char *path, const struct df_file_bytes *file)
{
    const char *text = (const char *)file->bytes, *rest = text;

    errno = 0;
    cJSON *tree = file->size > 0 ? cJSON_ParseWithLengthOpts(text, file->size, &rest, 0) : NULL;
    if (tree && is_blank(rest, text + file->size))
        return tree;
    if (!tree && errno == ENOMEM)
        df_error_memory("the values of a JSON file", 0);
    else
        df_error_set("%s is not JSON: it is damaged or was cut short", path);
    cJSON_Delete(tree);
    return NULL;
}

cJSON *df_json_read(const char *path, size_t most)
{
    struct df_file_bytes file;
    cJSON *tree = NULL;

    if (df_file_bytes_read(path, &file) != 0)
        return NULL;
    if (file.size > most)
        df_error_set("%s has %zu bytes, at most %zu are read of a JSON file", path, file.size, most);
    else
        tree = parse(path, &file);
    df_file_bytes_free(&file);
    return tree;
}
