/* Cells of CSV files (RFC 4180), each followed by what the caller writes: a comma or a newline. */
#ifndef DINOFT_CSV_H
#define DINOFT_CSV_H

#include <stdio.h>

/* Text as it is, in quotes where it holds a comma, a quote, a line's end, or a space at either end. */
void df_csv_text(FILE *file, const char *text);

/* Nine digits; nothing for NaN. */
void df_csv_number(FILE *file, double value);

#endif
