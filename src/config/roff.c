#include "roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define LINE_WIDTH 78 /* of the source, which people may read */

/* What stands for a character that roff would show as another one or take for a command. */
static const char *escaped(char c)
{
    switch (c) {
    case '-':
        return "\\-"; /* a plain one is a hyphen, which cannot be pasted into a shell */
    case '\\':
        return "\\e";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '"':
        return "\\(dq";
    default:
        return NULL;
    }
}

static void put(FILE *stream, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char *sequence = escaped(text[i]);
        if (sequence)
            fputs(sequence, stream);
        else
            fputc(text[i], stream);
    }
}

/* A dot at the start of a line would be a macro. */
static void guard(FILE *stream, const char *text)
{
    if (text[0] == '.')
        fputs("\\&", stream);
}

void df_roff_text(FILE *stream, const char *text)
{
    guard(stream, text);
    put(stream, text, strlen(text));
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '+';
}

static size_t word_length(const char *text)
{
    size_t length = 0;
    while (in_word(text[length]))
        length++;
    return length;
}

static bool all_capitals(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isupper((unsigned char)text[i]))
            return false;
    }
    return true;
}

void df_roff_syntax(FILE *stream, const char *text)
{
    while (*text) {
        size_t length = word_length(text);
        if (length > 0) {
            fputs(all_capitals(text, length) ? "\\fI" : "\\fB", stream);
            put(stream, text, length);
            fputs("\\fR", stream);
        } else {
            put(stream, text, length = 1);
        }
        text += length;
    }
}

/* The flag in a word of running text such as "(--val_every,"; the word's end if there is none. */
static const char *flag_in(const char *word, size_t length)
{
    const char *end = word + length;
    while (word < end && !(word[0] == '-' && word[1] == '-' && islower((unsigned char)word[2])))
        word++;
    return word;
}

static void put_word(FILE *stream, const char *word, size_t length)
{
    const char *end = word + length, *flag = flag_in(word, length);
    put(stream, word, (size_t)(flag - word));
    if (flag < end) {
        size_t flag_length = word_length(flag);
        fputs("\\fB", stream);
        put(stream, flag, flag_length);
        fputs("\\fR", stream);
        flag += flag_length;
    }
    put(stream, flag, (size_t)(end - flag));
}

static size_t source_width(const char *word, size_t length)
{
    size_t width = flag_in(word, length) < word + length ? strlen("\\fB\\fR") : 0;
    for (size_t i = 0; i < length; i++)
        width += escaped(word[i]) ? strlen(escaped(word[i])) : 1;
    return width;
}

void df_roff_sentences(FILE *stream, const char *text)
{
    size_t column = 0;
    for (; *text; text += strspn(text, " ")) {
        size_t length = strcspn(text, " "), width = source_width(text, length);
        if (column > 0 && column + 1 + width > LINE_WIDTH) {
            fputc('\n', stream);
            column = 0;
        }
        if (column > 0)
            fputc(' ', stream);
        else
            guard(stream, text);
        put_word(stream, text, length);
        column += 1 + width;
        text += length;
        /* A sentence ends its line; so the formatter knows it from an abbreviation. */
        if (text[-1] == '.' && text[-2] != '.' && *text) {
            fputc('\n', stream);
            column = 0;
        }
    }
    fputc('\n', stream);
}
