#include "csv.h"

#include "dinoft/text.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool is_formula(const char *text)
{
    const char first = text[strspn(text, "'")];
    return first && strchr("=+-@\t\r\n", first);
}

static bool needs_quotes(const char *text)
{
    const size_t length = strlen(text);
    return strpbrk(text, ",\"\r\n") || (length > 0 && (text[0] == ' ' || text[length - 1] == ' '));
}

void df_csv_text(FILE *file, const char *text)
{
    const bool formula = is_formula(text), quoted = formula || needs_quotes(text);
    size_t left = strlen(text);
    char piece[DF_TEXT_PIECE];

    if (quoted)
        putc('"', file);
    if (formula)
        putc('\'', file);
    while (left > 0) {
        const size_t step = df_text_piece(text, left, piece);
        if (*piece == '"')
            putc('"', file);
        fputs(piece, file);
        text += step;
        left -= step;
    }
    if (quoted)
        putc('"', file);
}

void df_csv_number(FILE *file, double value)
{
    if (!isnan(value))
        fprintf(file, "%.9g", value);
}
