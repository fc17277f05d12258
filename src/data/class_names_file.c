/* What classes are called, and how they are drawn: a list in a text or JSON file, or a built-in one. */
#include "class_table.h"
#include "lines.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/json_read.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define JSON_MOST ((size_t)1 << 20) /* bytes */

struct reading {
    struct df_class_table *table;
    const char *path;
};

/* --- text --- */

static int add_line(void *context, int64_t number, const char *line, size_t length)
{
    const struct reading *reading = context;
    const char *name;
    size_t name_length;
    uint8_t rgb[3];

    if (df_palette_line(line, length, rgb, &name, &name_length) && name_length > 0)
        return df_error_set(
            "line %lld of %s is a colour and a name, expected a name (--palette reads colours)",
            (long long)number, reading->path);
    if (df_class_table_add(reading->table, line, length, NULL) != 0)
        return df_error_context("line %lld of %s", (long long)number, reading->path);
    return 0;
}

/* --- JSON --- */

static bool read_list_color(const cJSON *color, uint8_t rgb[3])
{
    for (int c = 0; c < 3; c++) {
        const cJSON *item = cJSON_GetArrayItem(color, c);
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0 && item->valuedouble <= 255.0) ||
            item->valuedouble != (double)(int)item->valuedouble)
            return false;
        rgb[c] = (uint8_t)item->valuedouble;
    }
    return cJSON_GetArraySize(color) == 3;
}

static bool read_color(const cJSON *color, uint8_t rgb[3])
{
    const char *text = cJSON_GetStringValue(color), *name;
    size_t name_length;

    if (!text)
        return cJSON_IsArray(color) && read_list_color(color, rgb);
    return *text == '#' && df_palette_line(text, strlen(text), rgb, &name, &name_length) && name_length == 0;
}

static int add_item(struct df_class_table *table, const cJSON *item)
{
    const cJSON *color = cJSON_GetObjectItemCaseSensitive(item, "color");
    const char *name =
        cJSON_GetStringValue(cJSON_IsObject(item) ? cJSON_GetObjectItemCaseSensitive(item, "name") : item);
    uint8_t rgb[3];

    if (!name || !*name)
        return df_error_set("expected a name, or an object with \"name\" and \"color\"");
    if (color && !read_color(color, rgb))
        return df_error_set("the colour of '%.80s' is neither \"#RRGGBB\" nor [R, G, B]", name);
    return df_class_table_add(table, name, strlen(name), color ? rgb : NULL);
}

/* {"0": …, "1": …} in any order. */
static int add_numbered(struct df_class_table *table, const cJSON *object)
{
    const int count = cJSON_GetArraySize(object);
    char key[16];

    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%d", i);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
        if (!item)
            return df_error_set("it has %d entries, but no class \"%d\": expected the numbers from 0 on",
                                count, i);
        if (add_item(table, item) != 0)
            return df_error_context("class %d", i);
    }
    return 0;
}

static int add_tree(struct df_class_table *table, const cJSON *tree)
{
    const cJSON *item;

    if (cJSON_IsObject(tree))
        return add_numbered(table, tree);
    cJSON_ArrayForEach(item, tree)
    {
        const int number = table->count;
        if (add_item(table, item) != 0)
            return df_error_context("class %d", number);
    }
    return 0;
}

static int read_json(struct df_class_table *table, const char *path)
{
    cJSON *tree = df_json_read(path, JSON_MOST);
    int status = tree ? add_tree(table, tree) : -1;

    if (tree && status != 0)
        df_error_context("%s", path);
    cJSON_Delete(tree);
    return status;
}

/* --- either --- */

/* *is_json: whether the file begins as a list or an object of JSON does. */
static int look(const char *path, bool *is_json)
{
    struct df_file_bytes file;
    size_t i = 0;

    DF_TRY(df_file_bytes_read(path, &file));
    while (i < file.size && isspace(file.bytes[i]))
        i++;
    *is_json = i < file.size && (file.bytes[i] == '[' || file.bytes[i] == '{');
    df_file_bytes_free(&file);
    return 0;
}

int df_class_names_read(const char *path, struct df_class_table *table)
{
    struct reading reading = {table, path};
    const int status = df_color_table(path, false, table);
    bool is_json;

    if (status != 1)
        return status;
    if (look(path, &is_json) != 0)
        return df_error_advise(" (a file, or one of voc, ade20k, cityscapes, camvid)");
    DF_TRY(is_json ? read_json(table, path) : df_each_line(path, add_line, &reading));
    return table->count > 0 ? 0 : df_error_set("%s has no name of a class", path);
}
