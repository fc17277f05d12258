#include "json_slices.h"

#include "dinoft/error.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

static int malformed(void)
{
    return df_error_set("not JSON: it is damaged or was cut short");
}

static void skip_blanks(struct df_slices *slices)
{
    while (slices->at < slices->end &&
           (*slices->at == ' ' || *slices->at == '\t' || *slices->at == '\n' || *slices->at == '\r'))
        slices->at++;
}

static bool takes(struct df_slices *slices, char byte)
{
    skip_blanks(slices);
    if (slices->at == slices->end || *slices->at != byte)
        return false;
    slices->at++;
    return true;
}

int df_slices_open(struct df_slices *slices, struct df_slice slice, char opening)
{
    *slices = (struct df_slices){slice.text, slice.text + slice.size, opening == '{' ? '}' : ']', false};
    if (slice.size >= 3 && memcmp(slice.text, "\xef\xbb\xbf", 3) == 0)
        slices->at += 3;
    return takes(slices, opening) ? 0
                                  : df_error_set("%s is expected", opening == '{' ? "an object" : "a list");
}

/* Behind the string that begins here. */
static bool skip_string(struct df_slices *slices)
{
    const char *at = slices->at + 1;

    for (; at < slices->end && *at != '"'; at++) {
        if (*at == '\\' && ++at == slices->end)
            return false;
    }
    if (at == slices->end)
        return false;
    slices->at = at + 1;
    return true;
}

static bool is_end_of_scalar(char byte)
{
    return byte == ',' || byte == ']' || byte == '}' || byte == ' ' || byte == '\n' || byte == '\t' ||
           byte == '\r';
}

/* Behind the value that begins here. */
static bool skip_value(struct df_slices *slices)
{
    size_t depth = 0;

    if (slices->at == slices->end)
        return false;
    if (*slices->at != '{' && *slices->at != '[' && *slices->at != '"') {
        while (slices->at < slices->end && !is_end_of_scalar(*slices->at))
            slices->at++;
        return true;
    }
    do {
        const char byte = *slices->at;
        if (byte == '"') {
            if (!skip_string(slices))
                return false;
            continue;
        }
        depth += byte == '{' || byte == '[';
        depth -= byte == '}' || byte == ']';
        slices->at++;
    } while (depth > 0 && slices->at < slices->end);
    return depth == 0;
}

int df_slices_next(struct df_slices *slices, struct df_slice *key, struct df_slice *value)
{
    if (takes(slices, slices->close)) {
        skip_blanks(slices);
        return slices->at == slices->end ? 0 : malformed();
    }
    if (slices->begun && !takes(slices, ','))
        return malformed();
    slices->begun = true;
    skip_blanks(slices);
    if (slices->close == '}') {
        key->text = slices->at + 1;
        if (slices->at == slices->end || *slices->at != '"' || !skip_string(slices))
            return malformed();
        key->size = (size_t)(slices->at - key->text) - 1;
        if (!takes(slices, ':'))
            return malformed();
        skip_blanks(slices);
    }
    value->text = slices->at;
    if (!skip_value(slices))
        return malformed();
    value->size = (size_t)(slices->at - value->text);
    return 1;
}

bool df_slice_is(struct df_slice key, const char *name)
{
    return key.size == strlen(name) && memcmp(key.text, name, key.size) == 0;
}

struct cJSON *df_slice_parse(struct df_slice slice)
{
    const char *rest = slice.text;

    errno = 0; /* cJSON does not say that memory ran out; malloc() does */
    cJSON *tree = slice.size > 0 ? cJSON_ParseWithLengthOpts(slice.text, slice.size, &rest, 0) : NULL;

    if (tree && rest == slice.text + slice.size)
        return tree;
    if (!tree && errno == ENOMEM)
        df_error_memory("the values of a JSON file", 0);
    else
        malformed();
    cJSON_Delete(tree);
    return NULL;
}
