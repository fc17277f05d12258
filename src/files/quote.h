/* Names that come from a file, made fit for a one-line error text. */
#ifndef FILES_QUOTE_H
#define FILES_QUOTE_H

#include <stddef.h>

#define DF_QUOTE_SIZE 128

/* Copies text, cut where it is too long, all but printable ASCII replaced. Returns the buffer. */
static inline const char *df_quote(char buffer[DF_QUOTE_SIZE], const char *text, size_t length)
{
    size_t end = length < DF_QUOTE_SIZE ? length : DF_QUOTE_SIZE - 1;
    for (size_t i = 0; i < end; i++) {
        buffer[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    }
    buffer[end] = '\0';
    if (end < length)
        buffer[end - 1] = buffer[end - 2] = buffer[end - 3] = '.';
    return buffer;
}

#endif
