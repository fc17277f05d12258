/* Texts that are made anew. They are apart from what only reads a text, or changes it in place, which error.c
 * uses: an error that has to be told must not bring about another. */
#include "dinoft/text.h"

#include "dinoft/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *df_text_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    else
        df_error_memory("a text", length < 0 ? 0 : (unsigned long long)length + 1);
    va_end(again);
    return text;
}

char *df_text_copy(const char *text)
{
    return df_text_format("%s", text);
}

char *df_path_stem(const char *path)
{
    const char *name = df_path_name(path);
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    return df_text_format("%.*s", (int)length, name);
}

char *df_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return df_text_copy(".");
    return slash == path ? df_text_copy("/") : df_text_format("%.*s", (int)(slash - path), path);
}

char *df_text_valid(const char *text)
{
    const size_t length = strlen(text), most = (DF_TEXT_PIECE - 1) * length + 1;
    char *valid = malloc(most), *end = valid;

    if (!valid) {
        df_error_memory("a text", most);
        return NULL;
    }
    *valid = '\0';
    for (size_t at = 0; at < length; end += strlen(end))
        at += df_text_piece(text + at, length - at, end);
    return valid;
}

char *df_text_shell_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
    const size_t most = 4 * strlen(word) + 3; /* all of them quotes */

    if (*word && word[strspn(word, plain)] == '\0')
        return df_text_copy(word);
    char *text = malloc(most), *end = text;
    if (!text) {
        df_error_memory("a word of a command line", most);
        return NULL;
    }
    *end++ = '\'';
    for (; *word; word++) {
        if (*word == '\'')
            end = stpcpy(end, "'\\''");
        else
            *end++ = *word;
    }
    strcpy(end, "'");
    return text;
}
