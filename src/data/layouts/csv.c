#include "csv.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* A row while it is read. */
struct writing {
    struct df_csv_row *row;
    size_t used;
};

void df_csv_begin(struct df_csv *csv, const char *path, const char *bytes, size_t size, char separator)
{
    const bool marked = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;

    *csv = (struct df_csv){path, marked ? bytes + 3 : bytes, bytes + size, separator, 1};
}

static int wrong(const struct df_csv *csv, const char *what)
{
    return df_error_set("line %" PRId64 " of %s: %s", csv->line, csv->path, what);
}

static bool is_line_end(const struct df_csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

static int put(const struct df_csv *csv, struct writing *writing, char byte)
{
    if (writing->used == DF_CSV_ROW_BYTES)
        return wrong(csv, "the row is longer than any row of paths");
    writing->row->text[writing->used++] = byte;
    return 0;
}

static int put_read(struct df_csv *csv, struct writing *writing)
{
    const char byte = *csv->at++;

    if (byte == '\0')
        return wrong(csv, "there is a byte 0: this is no table in UTF-8");
    DF_TRY(put(csv, writing, byte));
    csv->line += byte == '\n';
    return 0;
}

static int read_quoted(struct df_csv *csv, struct writing *writing)
{
    const int64_t first = csv->line;

    csv->at++;
    while (csv->at < csv->end) {
        if (*csv->at == '"') {
            csv->at++;
            if (is_line_end(csv) || *csv->at == csv->separator)
                return 0;
            if (*csv->at != '"') /* two stand for one */
                return wrong(csv, "there is text behind the closing quote of a field");
        }
        DF_TRY(put_read(csv, writing));
    }
    csv->line = first;
    return wrong(csv, "a quote is not closed");
}

static int read_plain(struct df_csv *csv, struct writing *writing)
{
    while (!is_line_end(csv) && *csv->at != csv->separator) {
        if (*csv->at == '"')
            return wrong(csv, "there is a quote within a field that does not begin with one");
        DF_TRY(put_read(csv, writing));
    }
    return 0;
}

static int read_field(struct df_csv *csv, struct writing *writing)
{
    struct df_csv_row *row = writing->row;

    if (row->count == DF_CSV_FIELDS_MOST)
        return wrong(csv, "there are more columns than any table of pairs has");
    row->fields[row->count++] = row->text + writing->used;
    DF_TRY(csv->at < csv->end && *csv->at == '"' ? read_quoted(csv, writing) : read_plain(csv, writing));
    return put(csv, writing, '\0');
}

static void pass_line_end(struct df_csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n') {
        csv->at++;
        csv->line++;
    }
}

int df_csv_read(struct df_csv *csv, struct df_csv_row *row)
{
    struct writing writing = {row, 0};

    while (csv->at < csv->end && is_line_end(csv))
        pass_line_end(csv);
    if (csv->at == csv->end)
        return 0;
    row->count = 0;
    row->line = csv->line;
    DF_TRY(read_field(csv, &writing));
    while (!is_line_end(csv)) {
        csv->at++; /* the separator */
        DF_TRY(read_field(csv, &writing));
    }
    pass_line_end(csv);
    return 1;
}
