#include "dinoft/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool df_text_starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool df_text_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

const char *df_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int df_text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void df_text_replace_controls(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

#define NEAREST_MAX 63

static int distance(const char *a, const char *b)
{
    int row[NEAREST_MAX + 1];
    int length = (int)strlen(b);
    if (strlen(a) > NEAREST_MAX || length > NEAREST_MAX)
        return NEAREST_MAX;
    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[length];
}

int df_text_nearest(const char *word, const char *const *names, int count)
{
    int nearest = -1;
    if (strlen(word) > NEAREST_MAX)
        return -1;
    /* Further than that, a suggestion puzzles more than it helps: most of the word has to be right. */
    int nearest_distance = 1 + (int)strlen(word) / 4;
    for (int i = 0; i < count; i++) {
        int d = distance(word, names[i]);
        if (d < nearest_distance || (nearest < 0 && d == nearest_distance)) {
            nearest = i;
            nearest_distance = d;
        }
    }
    return nearest;
}

size_t df_text_code_point(const char *text, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;

    if (left == 0)
        return 0;
    const unsigned char first = bytes[0];
    if (first < 0x80) {
        *code = first;
        return 1;
    }
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > left)
        return 0;
    uint32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least[length] || value > 0x10ffff || surrogate)
        return 0;
    *code = value;
    return length;
}

bool df_text_is_utf8(const char *text, size_t length)
{
    uint32_t code;
    for (size_t at = 0; at < length;) {
        size_t step = df_text_code_point(text + at, length - at, &code);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t df_text_piece(const char *text, size_t left, char piece[DF_TEXT_PIECE])
{
    uint32_t code;
    const size_t length = df_text_code_point(text, left, &code);

    if (length == 0) {
        snprintf(piece, DF_TEXT_PIECE, "\\x%02X", (unsigned char)*text);
        return 1;
    }
    memcpy(piece, text, length);
    piece[length] = '\0';
    return length;
}
