#include "xml_read.h"

#include "dinoft/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    char *at, *end;
    const struct df_xml_handler *handler;
    const char *open[DF_XML_DEPTH_MAX]; /* the elements that are open */
    size_t depth;
    bool has_root;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

static bool is_next(const struct reader *reader, const char *word)
{
    const size_t length = strlen(word);
    return (size_t)(reader->end - reader->at) >= length && memcmp(reader->at, word, length) == 0;
}

/* To behind the word. */
static int skip_to(struct reader *reader, const char *word)
{
    for (; reader->at < reader->end; reader->at++) {
        if (is_next(reader, word)) {
            reader->at += strlen(word);
            return 0;
        }
    }
    return df_error_set("'%s' is missing", word);
}

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* A name; what follows it is still to be read when the name has been ended with a 0 there. NULL with the
 * error set. */
static char *read_name(struct reader *reader)
{
    char *name = reader->at;

    while (reader->at < reader->end && is_of_name(*reader->at))
        reader->at++;
    if (reader->at > name && reader->at < reader->end)
        return name;
    df_error_set("a name is expected");
    return NULL;
}

/* The bytes of a code point. */
static size_t encode(uint32_t code, char *bytes)
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    const size_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)((0xf00 >> count & 0xff) | code);
    return count;
}

/* What "&…;" stands for; *at is moved behind it. The bytes are no more than those of the reference. 0 with
 * the error set. */
static size_t read_reference(char **at, const char *end, char *bytes)
{
    static const struct {
        const char *name;
        char character;
    } names[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    const char *stop = memchr(*at, ';', (size_t)(end - *at));

    for (size_t i = 0; stop && i < sizeof names / sizeof names[0]; i++) {
        const size_t length = strlen(names[i].name);
        if ((size_t)(stop + 1 - *at) == length && memcmp(*at, names[i].name, length) == 0) {
            *at += length;
            *bytes = names[i].character;
            return 1;
        }
    }
    if (stop && stop - *at >= 3 && stop - *at <= 9 && (*at)[1] == '#') {
        const bool is_hex = (*at)[2] == 'x';
        char *rest;
        const unsigned long code = strtoul(*at + (is_hex ? 3 : 2), &rest, is_hex ? 16 : 10);
        if (rest == stop && code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) {
            *at += stop + 1 - *at;
            return encode((uint32_t)code, bytes);
        }
    }
    df_error_set("a reference that begins with '&' is none of XML's");
    return 0;
}

/* Puts characters in the place of references. The bytes that are left, or -1 with the error set. */
static int64_t resolve(char *text, char *end)
{
    char *from = memchr(text, '&', (size_t)(end - text)), *to = from;

    if (!from)
        return end - text;
    while (from < end) {
        if (*from != '&') {
            *to++ = *from++;
            continue;
        }
        const size_t count = read_reference(&from, end, to);
        if (count == 0)
            return -1;
        to += count;
    }
    return to - text;
}

/* NAME="VALUE", with its quotes of either kind. */
static int read_attribute(struct reader *reader, const char **name, const char **value)
{
    char *found = read_name(reader);

    if (!found)
        return -1;
    char *name_end = reader->at;
    skip_blanks(reader);
    if (!is_next(reader, "="))
        return df_error_set("'=' is missing behind an attribute");
    reader->at++;
    *name_end = '\0';
    skip_blanks(reader);
    if (!is_next(reader, "\"") && !is_next(reader, "'"))
        return df_error_set("the value of the attribute %.40s has no quotes", found);
    const char quote = *reader->at++;
    char *text = reader->at, *stop = memchr(text, quote, (size_t)(reader->end - text));
    if (!stop)
        return df_error_set("the value of the attribute %.40s does not end", found);
    const int64_t length = resolve(text, stop);
    if (length < 0)
        return -1;
    text[length] = '\0';
    reader->at = stop + 1;
    *name = found;
    *value = text;
    return 0;
}

static int end_element(struct reader *reader)
{
    return reader->handler->end(reader->handler->context, reader->open[--reader->depth]);
}

/* Behind the attributes: '>' or '/>'. The name is ended once what follows it has been read. */
static int begin_element(struct reader *reader, char *name, char *name_end, const char **attributes)
{
    const bool is_empty = is_next(reader, "/>");

    if (!is_empty && !is_next(reader, ">"))
        return df_error_set("'>' is missing");
    reader->at += is_empty ? 2 : 1;
    *name_end = '\0';
    if (reader->depth == DF_XML_DEPTH_MAX)
        return df_error_set("more than %d elements within each other", DF_XML_DEPTH_MAX);
    reader->open[reader->depth++] = name;
    reader->has_root = true;
    DF_TRY(reader->handler->begin(reader->handler->context, name, attributes));
    return is_empty ? end_element(reader) : 0;
}

static int read_element(struct reader *reader)
{
    const char *attributes[2 * DF_XML_ATTRIBUTES_MAX + 1];
    size_t count = 0;
    char *name = read_name(reader);

    if (!name)
        return -1;
    char *name_end = reader->at;
    if (reader->depth == 0 && reader->has_root)
        return df_error_set("an element behind the end of the first");
    for (skip_blanks(reader); reader->at < reader->end && is_of_name(*reader->at); skip_blanks(reader)) {
        if (count == DF_XML_ATTRIBUTES_MAX)
            return df_error_set("an element with more than %d attributes", DF_XML_ATTRIBUTES_MAX);
        DF_TRY(read_attribute(reader, &attributes[2 * count], &attributes[2 * count + 1]));
        count++;
    }
    attributes[2 * count] = NULL;
    return begin_element(reader, name, name_end, attributes);
}

static int read_end(struct reader *reader)
{
    const char *name = read_name(reader);

    if (!name)
        return -1;
    const size_t length = (size_t)(reader->at - name);
    skip_blanks(reader);
    if (!is_next(reader, ">"))
        return df_error_set("'>' is missing");
    reader->at++;
    if (reader->depth == 0)
        return df_error_set("the end of an element that is not open");
    const char *open = reader->open[reader->depth - 1];
    if (strlen(open) != length || memcmp(open, name, length) != 0)
        return df_error_set("</%.*s> ends <%.40s>", length < 40 ? (int)length : 40, name, open);
    return end_element(reader);
}

/* <?xml …?> and the like. */
static int read_declaration(struct reader *reader)
{
    const char *start = reader->at;

    DF_TRY(skip_to(reader, "?>"));
    for (const char *at = start; at + 15 <= reader->at; at++) {
        if (memcmp(at, "encoding=", 9) == 0 && memcmp(at + 10, "utf-8", 5) != 0 &&
            memcmp(at + 10, "UTF-8", 5) != 0)
            return df_error_set("an encoding that is not UTF-8");
    }
    return 0;
}

/* CDATA: text as it is. */
static int read_data(struct reader *reader)
{
    const char *text = reader->at;

    DF_TRY(skip_to(reader, "]]>"));
    if (reader->depth == 0)
        return df_error_set("text that is in no element");
    return reader->handler->text(reader->handler->context, text, (size_t)(reader->at - text) - 3);
}

static int read_markup(struct reader *reader)
{
    static const struct {
        const char *start;
        int (*read)(struct reader *reader);
    } kinds[] = {{"</", read_end}, {"<?", read_declaration}, {"<![CDATA[", read_data}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_next(reader, kinds[i].start)) {
            reader->at += strlen(kinds[i].start);
            return kinds[i].read(reader);
        }
    }
    if (is_next(reader, "<!--"))
        return skip_to(reader, "-->");
    if (is_next(reader, "<!"))
        return df_error_set("a document type");
    reader->at++;
    return read_element(reader);
}

static int read_text(struct reader *reader)
{
    char *text = reader->at, *stop = memchr(text, '<', (size_t)(reader->end - text));
    char *end = stop ? stop : reader->end;

    reader->at = end;
    if (reader->depth == 0) {
        while (text < end && is_blank(*text))
            text++;
        return text == end ? 0 : df_error_set("text that is in no element: it is no XML");
    }
    const int64_t length = resolve(text, end);
    return length < 0 ? -1 : reader->handler->text(reader->handler->context, text, (size_t)length);
}

static int read_all(struct reader *reader)
{
    if (is_next(reader, "\xef\xbb\xbf"))
        reader->at += 3;
    while (reader->at < reader->end)
        DF_TRY(*reader->at == '<' ? read_markup(reader) : read_text(reader));
    if (reader->depth > 0)
        return df_error_set("the end of <%.40s> is missing", reader->open[reader->depth - 1]);
    return reader->has_root ? 0 : df_error_set("there is no element: it is no XML");
}

int df_xml_read(char *text, size_t size, const struct df_xml_handler *handler)
{
    struct reader reader = {.at = text, .end = text + size, .handler = handler};
    size_t line = 1;

    if (read_all(&reader) == 0)
        return 0;
    for (const char *at = text; at < reader.at; at++)
        line += *at == '\n';
    return df_error_context("line %zu", line);
}
