#include "dinoft/json_writer.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts the node, which becomes the document's, where the next value belongs; NULL: there was no memory for
 * it. */
static void add(struct df_json *json, const char *name, cJSON *node)
{
    cJSON *container = json->depth > 0 ? json->open[json->depth - 1] : NULL;
    bool added = false;

    if (!node || json->failed) {
        json->failed = true;
    } else if (!container) {
        assert(!json->root && !name);
        json->root = node;
        added = true;
    } else {
        assert(cJSON_IsObject(container) == (name != NULL));
        added = name ? cJSON_AddItemToObject(container, name, node) : cJSON_AddItemToArray(container, node);
        json->failed = !added;
    }
    if (!added)
        cJSON_Delete(node);
}

static void open_container(struct df_json *json, const char *name, cJSON *node)
{
    assert(json->depth < DF_JSON_DEPTH);
    add(json, name, node);
    json->open[json->depth++] = json->failed ? NULL : node;
}

void df_json_object(struct df_json *json, const char *name)
{
    open_container(json, name, cJSON_CreateObject());
}

void df_json_array(struct df_json *json, const char *name)
{
    open_container(json, name, cJSON_CreateArray());
}

void df_json_close(struct df_json *json)
{
    assert(json->depth > 0);
    json->depth--;
}

void df_json_text(struct df_json *json, const char *name, const char *text)
{
    if (!text) {
        df_json_null(json, name);
        return;
    }
    char *valid = df_text_valid(text);
    add(json, name, valid ? cJSON_CreateString(valid) : NULL);
    free(valid);
}

void df_json_number(struct df_json *json, const char *name, double value)
{
    add(json, name, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void df_json_exact(struct df_json *json, const char *name, double value)
{
    char text[40];

    if (!isfinite(value)) {
        df_json_null(json, name);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    add(json, name, cJSON_CreateRaw(text));
}

/* cJSON keeps numbers as doubles, which would round a large one: integers go in as text. */
void df_json_integer(struct df_json *json, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    add(json, name, cJSON_CreateRaw(text));
}

void df_json_bool(struct df_json *json, const char *name, bool value)
{
    add(json, name, cJSON_CreateBool(value));
}

void df_json_null(struct df_json *json, const char *name)
{
    add(json, name, cJSON_CreateNull());
}

/* The document's text, NULL when memory ran out at any time; the tree is freed. */
static char *finish(struct df_json *json, bool indented)
{
    char *text = NULL;

    assert(json->depth == 0 && (json->root || json->failed));
    if (!json->failed)
        text = indented ? cJSON_Print(json->root) : cJSON_PrintUnformatted(json->root);
    cJSON_Delete(json->root);
    *json = (struct df_json){0};
    return text;
}

int df_json_show(struct df_json *json, FILE *stream)
{
    char *text = finish(json, true);

    if (!text)
        return df_error_memory("a JSON text", 0);
    fprintf(stream, "%s\n", text);
    free(text);
    return 0;
}

int df_json_write(struct df_json *json, const char *path)
{
    char *text = finish(json, true);

    if (!text) {
        df_error_memory("its text", 0);
        return df_error_context("cannot write %s", path);
    }
    const size_t length = strlen(text);
    text[length] = '\n'; /* a text file ends with a newline; it takes the terminator's place */
    const int status = df_atomic_write(path, text, length + 1);
    free(text);
    return status;
}

char *df_json_print(struct df_json *json, const char *what)
{
    char *text = finish(json, false);

    if (!text)
        df_error_memory(what, 0);
    return text;
}
