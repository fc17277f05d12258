/* Tables of comma-separated values, as RFC 4180 has them: quotes around fields that hold separators, quotes
 * or ends of lines, and two quotes for one. Lines may end with LF or CR LF. */
#ifndef DINOFT_DATA_LAYOUTS_CSV_H
#define DINOFT_DATA_LAYOUTS_CSV_H

#include <stddef.h>
#include <stdint.h>

#define DF_CSV_FIELDS_MOST 64
#define DF_CSV_ROW_BYTES   16384 /* of all fields of a row, with their ends */

struct df_csv {
    const char *path; /* for errors */
    const char *at, *end;
    char separator;
    int64_t line; /* of the next row, from 1 on */
};

struct df_csv_row {
    int64_t line; /* its first one */
    int count;
    const char *fields[DF_CSV_FIELDS_MOST]; /* in text */
    char text[DF_CSV_ROW_BYTES];
};

/* Begins with bytes of a file, which must outlive the reading; a byte-order mark of UTF-8 is passed over. */
void df_csv_begin(struct df_csv *csv, const char *path, const char *bytes, size_t size, char separator);

/* The next row that is not blank. 1: it is there; 0: the end; -1 with the error set, which names file and
 * line: a quote that is not closed or does not enclose a field, a byte 0, too many fields or too long ones.
 */
int df_csv_read(struct df_csv *csv, struct df_csv_row *row);

#endif
