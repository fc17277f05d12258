#include "dinoft/csv.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool needs_quotes(const char *text)
{
    const size_t length = strlen(text);
    return strpbrk(text, ",\"\r\n") || (length > 0 && (text[0] == ' ' || text[length - 1] == ' '));
}

void df_csv_text(FILE *file, const char *text)
{
    if (!needs_quotes(text)) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

void df_csv_number(FILE *file, double value)
{
    if (!isnan(value))
        fprintf(file, "%.9g", value);
}
