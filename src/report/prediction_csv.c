#include "dinoft/prediction_csv.h"

#include "csv.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/labels.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A text that is written as to a file. */
struct text {
    char *bytes;
    size_t size;
    FILE *stream;
};

static int begin(struct text *text)
{
    *text = (struct text){0};
    text->stream = open_memstream(&text->bytes, &text->size);
    return text->stream ? 0 : df_error_memory("a row of the summary", 0);
}

/* NULL with the error set. */
static char *end(struct text *text)
{
    const bool failed = ferror(text->stream) != 0;

    if (fclose(text->stream) == 0 && !failed && text->bytes)
        return text->bytes;
    free(text->bytes);
    df_error_memory("a row of the summary", 0);
    return NULL;
}

static char *make_header(char *const *names, int n_classes)
{
    static const char *const measures[] = {"pixels", "share"};
    struct text text;

    if (begin(&text) != 0)
        return NULL;
    fputs("image,height,width,mean_confidence,unknown_pixels,unknown_share", text.stream);
    for (int c = 0; c < n_classes; c++) {
        for (int m = 0; m < 2; m++) {
            char *name = df_text_format("%s %s", names[c], measures[m]);
            putc(',', text.stream);
            df_csv_text(text.stream, name ? name : "");
            if (!name) {
                free(end(&text));
                df_error_memory("the summary", 0);
                return NULL;
            }
            free(name);
        }
    }
    return end(&text);
}

static void put_pixels(FILE *stream, int64_t pixels, int64_t all)
{
    fprintf(stream, ",%" PRId64 ",", pixels);
    df_csv_number(stream, (double)pixels / (double)all);
}

/* Room for one more row. */
static int add_row(struct df_prediction_csv *csv, char *row)
{
    if (row && (csv->count & (csv->count - 1)) == 0) {
        char **rows = realloc(csv->rows, (csv->count ? 2 * csv->count : 1) * sizeof *rows);
        if (!rows) {
            free(row);
            return df_error_memory("the summary", 2 * csv->count * sizeof *rows);
        }
        csv->rows = rows;
    }
    if (row)
        csv->rows[csv->count++] = row;
    return row ? 0 : -1;
}

/* The length of the line that a text begins with; line ends in quotes are part of it. */
static size_t line_length(const char *text, size_t left)
{
    bool quoted = false;
    size_t length = 0;

    while (length < left && (quoted || text[length] != '\n')) {
        if (text[length] == '"')
            quoted = !quoted;
        length++;
    }
    return length;
}

static int take_over(struct df_prediction_csv *csv, const char *path, const char *text, size_t left)
{
    size_t length = line_length(text, left);

    if (length != strlen(csv->header) || memcmp(text, csv->header, length) != 0)
        return df_error_set("the summary %s has other columns than this run's: --summary names another file",
                            path);
    while (left > length) {
        text += length + 1;
        left -= length + 1;
        length = line_length(text, left);
        if (length == left) /* a line that was not finished */
            break;
        if (length > 0)
            DF_TRY(add_row(csv, df_text_format("%.*s", (int)length, text)));
    }
    csv->kept = csv->count;
    if (csv->kept > 0)
        qsort(csv->rows, csv->kept, sizeof *csv->rows, df_text_compare);
    return 0;
}

int df_prediction_csv_open(struct df_prediction_csv *csv, char *const *names, int n_classes, const char *keep)
{
    struct df_file_bytes file;
    struct stat there;

    *csv = (struct df_prediction_csv){.names = names, .n_classes = n_classes};
    csv->header = make_header(names, n_classes);
    if (!csv->header)
        return -1;
    if (!keep || stat(keep, &there) != 0)
        return 0;
    DF_TRY(df_file_bytes_read(keep, &file));
    const int status = take_over(csv, keep, (const char *)file.bytes, file.size);
    df_file_bytes_free(&file);
    return status;
}

void df_prediction_csv_free(struct df_prediction_csv *csv)
{
    for (size_t i = 0; i < csv->count; i++)
        free(csv->rows[i]);
    free(csv->rows);
    free(csv->header);
    *csv = (struct df_prediction_csv){0};
}

bool df_prediction_csv_has(const struct df_prediction_csv *csv, const char *image)
{
    struct text text;
    size_t first = 0, behind = csv->kept;

    if (csv->kept == 0 || begin(&text) != 0)
        return false;
    df_csv_text(text.stream, image);
    putc(',', text.stream);
    char *cell = end(&text);
    if (!cell)
        return false;
    const size_t length = strlen(cell);
    while (first < behind) {
        const size_t middle = first + (behind - first) / 2;
        if (strncmp(csv->rows[middle], cell, length) < 0)
            first = middle + 1;
        else
            behind = middle;
    }
    const bool has = first < csv->kept && strncmp(csv->rows[first], cell, length) == 0;
    free(cell);
    return has;
}

int df_prediction_csv_add(struct df_prediction_csv *csv, const struct df_prediction_row *row)
{
    const int64_t all = row->height * row->width;
    struct text text;

    DF_TRY(begin(&text));
    df_csv_text(text.stream, row->image);
    fprintf(text.stream, ",%" PRId64 ",%" PRId64 ",", row->height, row->width);
    df_csv_number(text.stream, row->mean_confidence);
    put_pixels(text.stream, row->pixels[DF_IGNORE_LABEL], all);
    for (int c = 0; c < csv->n_classes; c++)
        put_pixels(text.stream, row->pixels[c], all);
    return add_row(csv, end(&text));
}

int df_prediction_csv_write(const struct df_prediction_csv *csv, const char *path)
{
    struct df_atomic_file *file = df_atomic_open(path);

    if (!file)
        return -1;
    FILE *stream = df_atomic_stream(file);
    fprintf(stream, "%s\n", csv->header);
    for (size_t i = 0; i < csv->count; i++)
        fprintf(stream, "%s\n", csv->rows[i]);
    return df_atomic_commit(file);
}
