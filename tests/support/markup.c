#include "support/markup.h"

#include "dinoft/text.h"
#include "support/cmocka_all.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST         32
#define NAME_MAX_LENGTH 31

struct reader {
    const char *page, *at;
    char open[DEEPEST][NAME_MAX_LENGTH + 1];
    int depth;
};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

static void damaged(const struct reader *reader, const char *what)
{
    fail_msg("%s at byte %zu: %.60s", what, (size_t)(reader->at - reader->page), reader->at);
}

static void read_name(struct reader *reader, char name[NAME_MAX_LENGTH + 1])
{
    size_t length = 0;
    while (isalnum((unsigned char)reader->at[length]) || reader->at[length] == '-')
        length++;
    if (length == 0 || length > NAME_MAX_LENGTH)
        damaged(reader, "no name");
    memcpy(name, reader->at, length);
    name[length] = '\0';
    reader->at += length;
}

static void read_entity(struct reader *reader)
{
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;", "&nbsp;"};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (df_text_starts_with(reader->at, entities[i])) {
            reader->at += strlen(entities[i]);
            return;
        }
    }
    damaged(reader, "a bare &");
}

/* name="value"; addresses lead into the page alone. */
static void read_attribute(struct reader *reader)
{
    static const char *const addresses[] = {"src", "href", "action", "data", NULL};
    char name[NAME_MAX_LENGTH + 1];

    read_name(reader, name);
    if (!df_text_starts_with(reader->at, "=\""))
        damaged(reader, "an attribute without quotes");
    reader->at += 2;
    if (is_one_of(name, addresses) && !df_text_starts_with(reader->at, "data:image/"))
        damaged(reader, "an address outside");
    if (df_text_starts_with(name, "on"))
        damaged(reader, "a script");
    while (*reader->at != '"') {
        if (*reader->at == '\0' || *reader->at == '<')
            damaged(reader, "an attribute without an end");
        if (*reader->at == '&')
            read_entity(reader);
        else
            reader->at++;
    }
    reader->at++;
}

static void close_element(struct reader *reader)
{
    char name[NAME_MAX_LENGTH + 1];

    reader->at += 2;
    read_name(reader, name);
    if (reader->depth == 0 || strcmp(reader->open[reader->depth - 1], name) != 0)
        damaged(reader, "an element that is not open is closed");
    reader->depth--;
    if (*reader->at++ != '>')
        damaged(reader, "a tag without an end");
}

static void open_element(struct reader *reader)
{
    static const char *const empty[] = {"meta", "img", NULL};
    static const char *const forbidden[] = {"script", "link", "iframe", "object",
                                            "embed",  "form", "base",   NULL};
    char name[NAME_MAX_LENGTH + 1];

    reader->at++;
    read_name(reader, name);
    if (is_one_of(name, forbidden))
        damaged(reader, "a forbidden element");
    while (*reader->at == ' ') {
        reader->at++;
        read_attribute(reader);
    }
    const bool ended = *reader->at == '/';
    if (ended)
        reader->at++;
    if (*reader->at++ != '>')
        damaged(reader, "a tag without an end");
    if (ended || is_one_of(name, empty))
        return;
    if (reader->depth == DEEPEST)
        damaged(reader, "too deep");
    strcpy(reader->open[reader->depth++], name);
    if (strcmp(name, "style") == 0) {
        const char *end = strstr(reader->at, "</style>");
        if (!end)
            damaged(reader, "a style sheet without an end");
        reader->at = end;
    }
}

void assert_well_formed(const char *page)
{
    struct reader reader = {.page = page, .at = page};

    if (!df_text_is_utf8(page, strlen(page)))
        fail_msg("the page is not UTF-8");
    for (const char *c = page; *c; c++) {
        if ((unsigned char)*c < ' ' && *c != '\n')
            fail_msg("control character %d in the page", *c);
    }
    if (df_text_starts_with(page, "<!DOCTYPE html>\n"))
        reader.at += strlen("<!DOCTYPE html>\n");
    while (*reader.at) {
        if (df_text_starts_with(reader.at, "</"))
            close_element(&reader);
        else if (*reader.at == '<')
            open_element(&reader);
        else if (*reader.at == '&')
            read_entity(&reader);
        else
            reader.at++;
    }
    if (reader.depth > 0)
        fail_msg("%s is not closed", reader.open[reader.depth - 1]);
}

size_t occurrences(const char *page, const char *words)
{
    size_t count = 0;
    for (const char *at = strstr(page, words); at; at = strstr(at + 1, words))
        count++;
    return count;
}

char *page_text(FILE *stream)
{
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    const size_t size = (size_t)ftell(stream);
    rewind(stream);
    char *page = malloc(size + 1);
    assert_non_null(page);
    assert_int_equal(fread(page, 1, size, stream), size);
    page[size] = '\0';
    fclose(stream);
    return page;
}

char *page_of_file(const char *path)
{
    return page_text(fopen(path, "rb"));
}
