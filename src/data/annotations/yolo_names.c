#include "yolo_names.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX       ((size_t)1 << 20)
#define NAME_BYTES_MAX 200

static const char key[] = "names";

struct reader {
    struct df_annotations *annotations;
    const char *path, *at, *end;
    size_t count; /* of the names */
};

/* Blanks within a line. */
static void skip_spaces(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
        reader->at++;
}

static bool at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' || *reader->at == '\r' || *reader->at == '#';
}

static void skip_line(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at != '\n')
        reader->at++;
    if (reader->at < reader->end)
        reader->at++;
}

/* To what comes next, over line ends and comments. */
static void skip_blanks(struct reader *reader)
{
    skip_spaces(reader);
    while (reader->at < reader->end && at_line_end(reader)) {
        skip_line(reader);
        skip_spaces(reader);
    }
}

static bool takes(struct reader *reader, char byte)
{
    if (reader->at == reader->end || *reader->at != byte)
        return false;
    reader->at++;
    return true;
}

static int not_understood(const struct reader *reader, const char *what)
{
    return df_error_set("%s is expected behind name %zu of '%s'", what, reader->count, key);
}

static int add_name(struct reader *reader, const char *text, size_t length)
{
    char name[NAME_BYTES_MAX + 1];
    const size_t before = reader->annotations->labels.count;

    if (length == 0 || length > NAME_BYTES_MAX || memchr(text, '\0', length))
        return df_error_set("name %zu has %zu bytes, 1 to %d are expected", reader->count, length,
                            NAME_BYTES_MAX);
    memcpy(name, text, length);
    name[length] = '\0';
    if (df_annotations_label(reader->annotations, name, reader->path) < 0)
        return -1;
    if (reader->annotations->labels.count == before)
        return df_error_set("two classes are called '%s'", name);
    reader->count++;
    return 0;
}

/* A name: in quotes, or up to one of the bytes `ends`, a comment or the line's end. */
static int read_name(struct reader *reader, const char *ends)
{
    const char quote = reader->at < reader->end ? *reader->at : '\0';

    if (quote == '"' || quote == '\'') {
        const char *start = ++reader->at;
        while (reader->at < reader->end && *reader->at != quote && *reader->at != '\n' && *reader->at != '\\')
            reader->at++;
        const size_t length = (size_t)(reader->at - start);
        return takes(reader, quote) ? add_name(reader, start, length) : not_understood(reader, "a quote");
    }
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at != '\n' && *reader->at != '\r' &&
           !(*reader->at != '\0' && strchr(ends, *reader->at)) &&
           !(*reader->at == '#' && reader->at > start && reader->at[-1] == ' '))
        reader->at++;
    const char *stop = reader->at;
    while (stop > start && isspace((unsigned char)stop[-1]))
        stop--;
    return add_name(reader, start, (size_t)(stop - start));
}

/* "3:", which has to be the number of the next name. */
static int read_number(struct reader *reader)
{
    size_t number = 0;
    const char *start = reader->at;

    while (reader->at < reader->end && isdigit((unsigned char)*reader->at) && number < DF_LABEL_NAMES_MAX)
        number = 10 * number + (size_t)(*reader->at++ - '0');
    if (reader->at == start || !takes(reader, ':') || number != reader->count)
        return not_understood(reader, "the next number and a colon");
    skip_spaces(reader);
    return 0;
}

/* [a, b] or {0: a, 1: b}, behind the bracket. */
static int read_flow(struct reader *reader, char close)
{
    const char ends[] = {',', close, '\0'};

    for (;;) {
        skip_blanks(reader);
        if (takes(reader, close))
            return 0;
        if (close == '}')
            DF_TRY(read_number(reader));
        DF_TRY(read_name(reader, ends));
        skip_blanks(reader);
        if (!takes(reader, ',') && (reader->at == reader->end || *reader->at != close))
            return not_understood(reader, "a comma or the list's end");
    }
}

/* Lines of "- a", or indented ones of "0: a", up to the next key. */
static int read_block(struct reader *reader)
{
    for (;;) {
        const char *before = reader->at;
        skip_blanks(reader);
        const char *line = reader->at;
        while (line > before && line[-1] != '\n')
            line--;
        if (reader->at == reader->end || (reader->at == line && *reader->at != '-'))
            return 0;
        if (takes(reader, '-'))
            skip_spaces(reader);
        else
            DF_TRY(read_number(reader));
        DF_TRY(read_name(reader, ""));
        skip_spaces(reader);
        if (!at_line_end(reader))
            return not_understood(reader, "the line's end");
    }
}

static int read_names(struct reader *reader)
{
    skip_spaces(reader);
    const char *start = reader->at;
    const bool is_line_end = at_line_end(reader);
    skip_blanks(reader);
    if (takes(reader, '['))
        return read_flow(reader, ']');
    if (takes(reader, '{'))
        return read_flow(reader, '}');
    if (!is_line_end)
        return not_understood(reader, "a list");
    reader->at = start;
    return read_block(reader);
}

/* To behind "names:", at the beginning of a line. */
static bool find_key(struct reader *reader)
{
    const size_t length = strlen(key);

    while (reader->at < reader->end) {
        if ((size_t)(reader->end - reader->at) > length && memcmp(reader->at, key, length) == 0 &&
            reader->at[length] == ':') {
            reader->at += length + 1;
            return true;
        }
        skip_line(reader);
    }
    return false;
}

static int read_lines(struct reader *reader)
{
    for (skip_blanks(reader); reader->at < reader->end; skip_blanks(reader))
        DF_TRY(read_name(reader, ""));
    return 0;
}

static int read_all(struct reader *reader)
{
    if (df_text_ends_with(reader->path, ".txt"))
        DF_TRY(read_lines(reader));
    else if (!find_key(reader))
        return df_error_set("there is no entry '%s'", key);
    else
        DF_TRY(read_names(reader));
    return reader->count > 0 ? 0 : df_error_set("there are no names");
}

int df_yolo_names_read(struct df_annotations *annotations, const char *path)
{
    struct df_file_bytes file;
    int status;

    DF_TRY(df_file_bytes_read(path, &file));
    const char *text = (const char *)file.bytes;
    struct reader reader = {annotations, path, text, text + file.size, 0};
    if (file.size > FILE_MAX)
        status = df_error_set("%zu bytes, at most %zu are read", file.size, FILE_MAX);
    else
        status = read_all(&reader);
    df_file_bytes_free(&file);
    return status == 0 ? 0 : df_error_context("%s", path);
}
