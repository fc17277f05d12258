/* Cells of CSV files (RFC 4180), each followed by what the caller writes: a comma or a newline. */
#ifndef DINOFT_REPORT_CSV_H
#define DINOFT_REPORT_CSV_H

#include <stdio.h>

/* Text in UTF-8 (bytes that are none as df_text_valid() writes them), in quotes where it holds a comma, a
 * quote, a line's end, or a space at either end.
 *
 * A spreadsheet takes a cell that begins with = + - @, a tab or a line's end for a formula, and would run
 * what somebody called a file: such a text gets an apostrophe in front, and quotes. One more also where there
 * are apostrophes before such a beginning, so that taking one away always gives the text back. */
void df_csv_text(FILE *file, const char *text);

/* Nine digits; nothing for NaN. */
void df_csv_number(FILE *file, double value);

#endif
