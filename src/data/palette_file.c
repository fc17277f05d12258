/* A table of colours and names: a line for each colour, as people write it, CamVid has it or CVAT exports it.
 */
#include "class_table.h"
#include "lines.h"

#include "dinoft/error.h"

#include <ctype.h>
#include <string.h>

#define MARKER " (ignore)"

struct reading {
    struct df_class_table *table;
    const char *path;
};

/* A number from 0 to 255 that *text begins with, and *text moved behind it. */
static bool take_byte(const char **text, const char *end, uint8_t *byte)
{
    int number = 0, digits = 0;

    while (*text < end && isdigit((unsigned char)**text) && digits++ < 3)
        number = 10 * number + *(*text)++ - '0';
    *byte = (uint8_t)number;
    return digits > 0 && number <= UINT8_MAX && (*text == end || !isdigit((unsigned char)**text));
}

static void skip(const char **text, const char *end, const char *what)
{
    while (*text < end && **text != '\0' && strchr(what, **text))
        ++*text;
}

/* Three bytes with one of the separators between them, or more than one. */
static bool take_triple(const char **text, const char *end, const char *separators, uint8_t rgb[3])
{
    for (int c = 0; c < 3; c++) {
        const char *before = *text;
        if (c > 0)
            skip(text, end, separators);
        if ((c > 0 && *text == before) || !take_byte(text, end, &rgb[c]))
            return false;
    }
    return true;
}

static int hex_digit(char digit)
{
    const int lower = tolower((unsigned char)digit);
    return isdigit(lower) ? lower - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* "#RRGGBB" at the start, and then nothing or a space. */
static bool take_hex(const char **text, const char *end, uint8_t rgb[3])
{
    const char *digits = *text + 1;

    if (end - *text < 7 || **text != '#' || (end - *text > 7 && !isspace((unsigned char)(*text)[7])))
        return false;
    for (int c = 0; c < 3; c++) {
        const int high = hex_digit(digits[2 * c]), low = hex_digit(digits[2 * c + 1]);
        if (high < 0 || low < 0)
            return false;
        rgb[c] = (uint8_t)(16 * high + low);
    }
    *text += 7;
    return true;
}

/* CVAT's "name:r,g,b:parts:actions". */
static bool is_labelmap(const char *line, const char *end, uint8_t rgb[3], size_t *name_length)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    const char *text = colon ? colon + 1 : NULL;

    if (!text || !take_triple(&text, end, ",", rgb) || (text < end && *text != ':'))
        return false;
    *name_length = (size_t)(colon - line);
    return true;
}

bool df_palette_line(const char *line, size_t length, uint8_t rgb[3], const char **name, size_t *name_length)
{
    const char *end = line + length, *text = line;

    *name = line;
    if (*line != '#' && is_labelmap(line, end, rgb, name_length))
        return true;
    if (*line == '#' ? !take_hex(&text, end, rgb) : !take_triple(&text, end, ", \t", rgb))
        return false;
    const char *behind = text;
    skip(&text, end, ", \t");
    *name = text;
    *name_length = (size_t)(end - text);
    return text == end || text > behind;
}

/* A name that says so, or has " (ignore)" behind it. */
static bool is_ignored(const char *name, size_t length)
{
    const size_t marker = strlen(MARKER);

    return df_class_name_is_ignored(name, length) ||
           (length > marker && memcmp(name + length - marker, MARKER, marker) == 0);
}

static bool is_there(const struct df_class_table *table, const char *name, size_t length)
{
    for (int i = 0; i < table->count; i++) {
        if (strlen(table->classes[i].name) == length && memcmp(table->classes[i].name, name, length) == 0)
            return true;
    }
    return false;
}

static int add_line(void *context, int64_t number, const char *line, size_t length)
{
    const struct reading *reading = context;
    struct df_class_table *table = reading->table;
    const char *name;
    size_t name_length;
    uint8_t rgb[3];
    int status = 0;

    if (!df_palette_line(line, length, rgb, &name, &name_length)) {
        if (*line == '#')
            return 0;
        return df_error_set("line %lld of %s: expected 'R G B name', '#RRGGBB name' or 'name:R,G,B::', found "
                            "'%.*s'",
                            (long long)number, reading->path, length < 80 ? (int)length : 80, line);
    }
    const bool ignored = is_ignored(name, name_length);
    if (name_length == 0)
        status = df_error_set("the colour has no name behind it");
    else if (is_there(table, name, name_length))
        status = df_error_set("the name '%.*s' is there twice", (int)name_length, name);
    if (status == 0)
        status = df_class_table_add_color(table, rgb, ignored ? DF_IGNORE_LABEL : table->count);
    if (status == 0 && !ignored)
        status = df_class_table_add(table, name, name_length, rgb);
    return status == 0 ? 0 : df_error_context("line %lld of %s", (long long)number, reading->path);
}

int df_palette_read(const char *path, struct df_class_table *table)
{
    struct reading reading = {table, path};
    const int status = df_color_table(path, true, table);

    if (status != 1)
        return status;
    if (df_each_line(path, add_line, &reading) != 0)
        return df_error_advise(" (a file, or one of voc, cityscapes, camvid)");
    if (table->count == 0)
        return df_error_set("%s has no class", path);
    return 0;
}
