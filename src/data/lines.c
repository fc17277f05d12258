#include "lines.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"

#include <ctype.h>
#include <string.h>

int df_each_line(const char *path, int (*use)(void *context, int64_t number, const char *text, size_t length),
                 void *context)
{
    struct df_file_bytes file;
    int64_t number = 0;
    int status = 0;

    DF_TRY(df_file_bytes_read(path, &file));
    const char *text = (const char *)file.bytes;
    const char *end = text + file.size;
    if (file.size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* the byte-order mark that some editors write in front of UTF-8 */
    while (text < end && status == 0) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        const char *next = newline ? newline + 1 : end;
        while (text < stop && isspace((unsigned char)*text))
            text++;
        while (stop > text && isspace((unsigned char)stop[-1]))
            stop--;
        number++;
        if (stop > text)
            status = use(context, number, text, (size_t)(stop - text));
        text = next;
    }
    df_file_bytes_free(&file);
    return status;
}
