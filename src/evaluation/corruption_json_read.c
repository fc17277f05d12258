/* What an earlier run has measured. The file may have been written by anything. */
#include "dinoft/corruption_results.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)16 << 20) /* bytes; a full one takes some 30 KB */
#define ROWS_MAX 256

/* A file's cells in the order of its severities. */
struct severities {
    int values[DF_SEVERITIES];
    int count;
};

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int read_severities(const cJSON *array, struct severities *severities)
{
    const cJSON *item;

    severities->count = 0;
    if (!cJSON_IsArray(array))
        return df_error_set("it has no list of severities");
    cJSON_ArrayForEach(item, array)
    {
        const int last = severities->count > 0 ? severities->values[severities->count - 1] : 0;
        const double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        /* Ascending, so at most DF_SEVERITIES of them. */
        if (!(value > last && value <= DF_SEVERITIES) || value != floor(value))
            return df_error_set("its severities are not ascending numbers of 1 to %d", DF_SEVERITIES);
        severities->values[severities->count++] = (int)value;
    }
    return 0;
}

static int read_share(const cJSON *cell, const char *name, double *value)
{
    const cJSON *item = member(cell, name);

    *value = NAN;
    if (cJSON_IsNull(item))
        return 0;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0 && item->valuedouble <= 1.0))
        return df_error_set("a cell's %s is not a number of 0 to 1", name);
    *value = item->valuedouble;
    return 0;
}

/* cell: done is false for null. */
static int read_cell(const cJSON *node, struct df_corruption_cell *cell)
{
    *cell = (struct df_corruption_cell){0};
    if (cJSON_IsNull(node))
        return 0;
    if (!cJSON_IsObject(node))
        return df_error_set("a cell is neither scores nor null");
    if (!member(node, "reference_miou"))
        return df_error_set("its scores have no reference_miou, as those of earlier versions of dinoft");
    DF_TRY(read_share(node, "miou", &cell->miou));
    DF_TRY(read_share(node, "reference_iou", &cell->reference_iou));
    DF_TRY(read_share(node, "reference_miou", &cell->reference_miou));
    DF_TRY(read_share(node, "pixel_accuracy", &cell->pixel_accuracy));
    cell->done = true;
    return 0;
}

/* The row of that name that is to be measured; NULL: none, or it is skipped. */
static struct df_corruption_row *row_named(const struct df_corruption_results *results, const char *name)
{
    for (size_t i = 0; i < results->n_rows; i++) {
        if (!results->rows[i].skipped && strcmp(results->rows[i].name, name) == 0)
            return &results->rows[i];
    }
    return NULL;
}

static bool has_severity(const struct df_corruption_results *results, int severity)
{
    for (int i = 0; i < results->n_severities; i++) {
        if (results->severities[i] == severity)
            return true;
    }
    return false;
}

static int read_row(const cJSON *node, const struct severities *severities,
                    const struct df_corruption_results *results, int *taken)
{
    const char *name = cJSON_GetStringValue(member(node, "name"));
    const cJSON *cells = member(node, "cells"), *item;
    int i = 0;

    if (!name || !cJSON_IsArray(cells) || cJSON_GetArraySize(cells) != severities->count)
        return df_error_set("one of its corruptions has no name, or not a cell for each severity");
    struct df_corruption_row *row = row_named(results, name);
    cJSON_ArrayForEach(item, cells)
    {
        const int severity = severities->values[i++];
        struct df_corruption_cell cell;
        DF_TRY(read_cell(item, &cell));
        if (!cell.done)
            continue;
        if (!row || !has_severity(results, severity))
            return df_error_set("it has scores of %s at severity %d, which would be lost", name, severity);
        if (row->cells[severity - 1].done)
            return df_error_set("it has the same corruption twice");
        row->cells[severity - 1] = cell;
        ++*taken;
    }
    return 0;
}

/* Fills results, the cells of which are empty. */
static int read_tree(const cJSON *tree, const char *key, struct df_corruption_results *results, int *taken)
{
    const char *file_key = cJSON_GetStringValue(member(tree, "key"));
    const char *suite = cJSON_GetStringValue(member(tree, "suite"));
    const cJSON *rows = member(tree, "corruptions"), *row;
    struct severities severities;

    if (!file_key || !suite || !cJSON_IsArray(rows) || cJSON_GetArraySize(rows) > ROWS_MAX)
        return df_error_set("these are no scores under corruptions");
    if (strcmp(file_key, key) != 0 || strcmp(suite, results->suite) != 0)
        return df_error_set("these are scores of another model, other data or other settings");
    DF_TRY(read_severities(member(tree, "severities"), &severities));
    DF_TRY(read_cell(member(tree, "clean"), &results->clean));
    *taken = results->clean.done ? 1 : 0;
    cJSON_ArrayForEach(row, rows)
    {
        DF_TRY(read_row(row, &severities, results, taken));
    }
    return 0;
}

/* A copy of what reading changes, to work on: rows with names of the original. */
static int copy_empty(struct df_corruption_results *copy, const struct df_corruption_results *results)
{
    *copy = *results;
    copy->clean = (struct df_corruption_cell){0};
    copy->rows = calloc(results->n_rows + 1, sizeof *copy->rows);
    if (!copy->rows)
        return df_error_memory("the scores of corruptions", (results->n_rows + 1) * sizeof *copy->rows);
    for (size_t i = 0; i < results->n_rows; i++) {
        copy->rows[i] = results->rows[i];
        memset(copy->rows[i].cells, 0, sizeof copy->rows[i].cells);
    }
    return 0;
}

static void take_cells(struct df_corruption_results *results, const struct df_corruption_results *read)
{
    if (read->clean.done)
        results->clean = read->clean;
    for (size_t i = 0; i < results->n_rows; i++) {
        for (int s = 0; s < DF_SEVERITIES; s++) {
            if (read->rows[i].cells[s].done)
                results->rows[i].cells[s] = read->rows[i].cells[s];
        }
    }
}

static int read_with_key(const cJSON *tree, const char *key, struct df_corruption_results *results,
                         int *taken)
{
    char *written = df_text_valid(key); /* as it is in the file */
    const int status = written ? read_tree(tree, written, results, taken) : -1;

    free(written);
    return status;
}

static int take_from(const cJSON *tree, const char *key, struct df_corruption_results *results, int *taken)
{
    struct df_corruption_results read;
    int count = 0;

    DF_TRY(copy_empty(&read, results));
    const int status = read_with_key(tree, key, &read, &count);
    if (status == 0) {
        take_cells(results, &read);
        *taken = count;
    }
    free(read.rows);
    return status;
}

int df_corruption_results_read(const char *path, const char *key, struct df_corruption_results *results,
                               int *taken)
{
    *taken = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    cJSON *tree = df_json_read(path, FILE_MAX);
    if (!tree)
        return -1;
    const int status = take_from(tree, key, results, taken);
    cJSON_Delete(tree);
    return status == 0 ? 0 : df_error_context("%s", path);
}
