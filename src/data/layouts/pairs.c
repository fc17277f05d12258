/* A table of images, masks and splits: a CSV file with a header. */
#include "csv.h"
#include "layout.h"
#include "splits.h"

#include "../split_folders.h"

#include "../folder_files.h"
#include "../sample_list.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMED_AT_MOST  3
#define PATH_MAX_BYTES 4096

enum column { IMAGE, MASK, SPLIT, COLUMNS };

/* An image of a row, of either split. */
struct seen {
    char *image;
    int64_t line;
};

struct table {
    struct df_csv csv;
    struct df_csv_row row;
    int columns;     /* of the header */
    int at[COLUMNS]; /* -1: there is none */
    struct df_name_list others;
    char *folder; /* of the file */
    struct df_split_words words;
    struct seen *seen;
    size_t n_seen;
};

/* White space around a field, which people put behind separators, is none of it. */
static const char *trimmed(const char *field)
{
    char *text = (char *)field + strspn(field, " \t");
    size_t length = strlen(text);

    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* The columns of a header; false where image or mask is not among them. */
static bool find_columns(struct table *table)
{
    static const char *const names[] = {"image", "mask", "split"};

    table->others = (struct df_name_list){.most = NAMED_AT_MOST};
    table->columns = table->row.count;
    for (int column = 0; column < COLUMNS; column++)
        table->at[column] = -1;
    for (int i = 0; i < table->row.count; i++) {
        const char *field = trimmed(table->row.fields[i]);
        int column = 0;
        while (column < COLUMNS && strcasecmp(field, names[column]) != 0)
            column++;
        if (column < COLUMNS && table->at[column] < 0)
            table->at[column] = i;
        else
            df_name_list_add(&table->others, "%s", field);
    }
    return table->at[IMAGE] >= 0 && table->at[MASK] >= 0;
}

/* The header says which of the separators it is. */
static int read_header(struct table *table, const char *path, const struct df_file_bytes *file)
{
    static const char separators[] = ",;\t";

    for (const char *separator = separators; *separator; separator++) {
        df_csv_begin(&table->csv, path, (const char *)file->bytes, file->size, *separator);
        if (df_csv_read(&table->csv, &table->row) == 1 && find_columns(table))
            return 0;
    }
    return df_error_set("%s: the first line names no columns image and mask (a table has a header such as "
                        "image,mask,split)",
                        path);
}

static char *path_of(const struct table *table, const char *field)
{
    return *field == '/' ? df_text_copy(field) : df_text_format("%s/%s", table->folder, field);
}

/* The file itself, whatever the table calls it: "a.png", "./a.png" or a link to it. */
static char *file_of(const struct table *table, const char *field)
{
    char *path = path_of(table, field);
    char *file = path ? realpath(path, NULL) : NULL;

    if (!file)
        return path; /* it is not there, which is told later */
    free(path);
    return file;
}

static int see(struct table *table, const char *image)
{
    struct seen *seen = df_grown(table->seen, table->n_seen, sizeof *seen);

    if (!seen)
        return -1;
    table->seen = seen;
    seen[table->n_seen] = (struct seen){file_of(table, image), table->row.line};
    if (!seen[table->n_seen].image)
        return -1;
    table->n_seen++;
    return 0;
}

/* dataset: NULL where rows are only counted. */
static int add_row(struct table *table, struct df_dataset *dataset)
{
    const struct df_csv_row *row = &table->row;

    if (row->count != table->columns)
        return df_error_set("line %" PRId64 " of %s has %d fields, the header has %d", row->line,
                            table->csv.path, row->count, table->columns);
    const char *image = trimmed(row->fields[table->at[IMAGE]]), *mask = trimmed(row->fields[table->at[MASK]]);
    if (*image == '\0' || *mask == '\0')
        return df_error_set("line %" PRId64 " of %s names no %s", row->line, table->csv.path,
                            *image == '\0' ? "image" : "mask");
    if (strlen(image) > PATH_MAX_BYTES || strlen(mask) > PATH_MAX_BYTES)
        return df_error_set("line %" PRId64 " of %s: a path has more than %d bytes", row->line,
                            table->csv.path, PATH_MAX_BYTES);
    const char *split = table->at[SPLIT] >= 0 ? trimmed(row->fields[table->at[SPLIT]]) : NULL;
    if (!split || df_split_is_usual(split) || df_split_is(split, table->words.wanted))
        DF_TRY(see(table, image));
    if (split && !df_split_words_take(&table->words, split))
        return 0;
    if (!dataset)
        return 0;
    return df_sample_add(dataset, df_path_stem(image), path_of(table, image), path_of(table, mask));
}

static int compare(const void *a, const void *b)
{
    const struct seen *first = a, *second = b;
    const int images = strcmp(first->image, second->image);
    return images != 0 ? images : (first->line > second->line) - (first->line < second->line);
}

/* An image that is there twice is in both splits, or counts twice. */
static int check_seen(struct table *table)
{
    if (table->n_seen > 0)
        qsort(table->seen, table->n_seen, sizeof *table->seen, compare);
    for (size_t i = 1; i < table->n_seen; i++) {
        if (strcmp(table->seen[i - 1].image, table->seen[i].image) == 0)
            return df_error_set("lines %" PRId64 " and %" PRId64 " of %s name the same image, %s",
                                table->seen[i - 1].line, table->seen[i].line, table->csv.path,
                                table->seen[i].image);
    }
    return 0;
}

static int read_rows(struct table *table, struct df_dataset *dataset)
{
    int status;

    while ((status = df_csv_read(&table->csv, &table->row)) == 1)
        DF_TRY(add_row(table, dataset));
    return status;
}

static int read_table(struct table *table, struct df_dataset *dataset, const struct df_layout_options *layout)
{
    const char *path = layout->pairs;

    if (table->others.count > 0 && layout->tells)
        df_log("warning: columns of %s that are not used: %s", path, table->others.text);
    DF_TRY(read_rows(table, dataset));
    DF_TRY(check_seen(table));
    if (table->at[SPLIT] >= 0)
        return df_split_words_check(&table->words, path, layout->tells);
    return dataset->count > 0 ? 0 : df_error_set("%s lists no images", path);
}

static void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_seen; i++)
        free(table->seen[i].image);
    free(table->seen);
    free(table->folder);
    free(table);
}

/* The table with its header read; NULL with the error set. */
static struct table *table_open(const struct df_dataset_options *options, const struct df_file_bytes *file)
{
    const char *path = options->layout.pairs;
    struct table *table = calloc(1, sizeof *table);

    if (!table) {
        df_error_memory("a table of pairs", sizeof *table);
        return NULL;
    }
    table->words =
        (struct df_split_words){.wanted = df_part_words(options), .words.most = DF_SPLIT_WORDS_NAMED};
    table->folder = df_path_folder(path);
    if (table->folder && read_header(table, path, file) == 0)
        return table;
    table_free(table);
    return NULL;
}

int df_pairs_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                  struct df_listing *listing)
{
    const struct df_layout_options *layout = &options->layout;
    struct df_file_bytes file;
    int status = -1;

    DF_TRY(df_file_bytes_read(layout->pairs, &file));
    struct table *table = table_open(options, &file);
    if (table) {
        listing->divided = table->at[SPLIT] >= 0;
        snprintf(listing->what, sizeof listing->what, "the pairs of %s%s", layout->pairs,
                 listing->divided ? ", which has their splits" : "");
        status = read_table(table, dataset, layout);
    }
    table_free(table);
    df_file_bytes_free(&file);
    return status;
}

int df_pairs_have(const struct df_dataset_options *options, bool *has)
{
    struct df_file_bytes file;
    int status = -1;

    DF_TRY(df_file_bytes_read(options->layout.pairs, &file));
    struct table *table = table_open(options, &file);
    if (table)
        status = table->at[SPLIT] >= 0 ? read_rows(table, NULL) : 0;
    *has = table && (table->at[SPLIT] < 0 || table->words.taken > 0);
    table_free(table);
    df_file_bytes_free(&file);
    return status;
}
