#include "safetensors.h"

#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/size.h"
#include "dinoft/weight_file.h"
#include "little_endian.h"
#include "quote.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 8

static const char *const dtype_names[DF_DTYPE_COUNT] = {
    [DF_F32] = "F32", [DF_F16] = "F16", [DF_BF16] = "BF16", [DF_F64] = "F64", [DF_I64] = "I64",
    [DF_I32] = "I32", [DF_I16] = "I16", [DF_I8] = "I8",     [DF_U8] = "U8",   [DF_BOOL] = "BOOL",
};

const char *df_safetensors_dtype_name(enum df_dtype dtype)
{
    return dtype_names[dtype];
}

struct range {
    uint64_t begin, end;
    const char *name; /* the state's or the JSON tree's: valid while the file is read */
};

struct reading {
    struct df_state *state;
    const unsigned char *data; /* behind the header */
    uint64_t data_size;
    struct range *ranges; /* one for each tensor with elements */
    size_t range_count;
};

static int read_dtype(const cJSON *item, const char *name, enum df_dtype *dtype)
{
    const char *text = cJSON_GetStringValue(item);
    char quoted[DF_QUOTE_SIZE];

    for (int i = 0; text && i < DF_DTYPE_COUNT; i++) {
        if (strcmp(text, dtype_names[i]) == 0) {
            *dtype = (enum df_dtype)i;
            return 0;
        }
    }
    return df_error_set("%s has the unknown dtype \"%s\"", name,
                        text ? df_quote(quoted, text, strlen(text)) : "(none)");
}

/* JSON numbers are doubles here: whole ones are exact up to 2^53. */
static bool read_whole_number(const cJSON *item, int64_t *value)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 0x1p53)
        return false;
    *value = (int64_t)item->valuedouble;
    return (double)*value == item->valuedouble;
}

/* The ndim of a list of at most `max` whole numbers, -1 if it is something else (no error set). */
static int read_numbers(const cJSON *list, int64_t *values, int max)
{
    int count = 0;
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return -1;
    cJSON_ArrayForEach(item, list)
    {
        if (count == max || !read_whole_number(item, &values[count]))
            return -1;
        count++;
    }
    return count;
}

static int read_tensor(struct reading *reading, const cJSON *item)
{
    char name[DF_QUOTE_SIZE];
    enum df_dtype dtype = DF_F32;
    int64_t shape[DF_MAX_DIMS], offsets[2];
    size_t count, size;

    df_quote(name, item->string, strlen(item->string));
    if (!cJSON_IsObject(item))
        return df_error_set("%s is not described by an object", name);
    DF_TRY(read_dtype(cJSON_GetObjectItemCaseSensitive(item, "dtype"), name, &dtype));
    int ndim = read_numbers(cJSON_GetObjectItemCaseSensitive(item, "shape"), shape, DF_MAX_DIMS);
    if (ndim < 0)
        return df_error_set("%s has no \"shape\" of at most %d whole numbers", name, DF_MAX_DIMS);
    if (read_numbers(cJSON_GetObjectItemCaseSensitive(item, "data_offsets"), offsets, 2) != 2)
        return df_error_set("%s has no \"data_offsets\" of two whole numbers", name);
    if (offsets[0] > offsets[1] || (uint64_t)offsets[1] > reading->data_size)
        return df_error_set("%s lies at bytes %" PRId64 " to %" PRId64 ", but the file has %" PRIu64
                            " bytes of data: it is damaged or was cut short",
                            name, offsets[0], offsets[1], reading->data_size);
    char text[DF_SHAPE_TEXT_MAX];
    if (!df_shape_count(shape, ndim, &count) || !df_size_mul(count, df_dtype_size(dtype), &size) ||
        size != (uint64_t)(offsets[1] - offsets[0]))
        return df_error_set("%s has %" PRId64 " bytes, which does not fit %s of shape %s", name,
                            offsets[1] - offsets[0], df_dtype_name(dtype), df_shape_text(shape, ndim, text));
    if (!df_state_borrow(reading->state, item->string, dtype, ndim, shape, reading->data + offsets[0]))
        return -1;
    if (size) {
        struct range range = {(uint64_t)offsets[0], (uint64_t)offsets[1], item->string};
        reading->ranges[reading->range_count++] = range;
    }
    return 0;
}

static int by_begin(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int check_no_overlap(struct reading *reading)
{
    qsort(reading->ranges, reading->range_count, sizeof *reading->ranges, by_begin);
    for (size_t i = 1; i < reading->range_count; i++) {
        const struct range *before = &reading->ranges[i - 1], *after = &reading->ranges[i];
        char first[DF_QUOTE_SIZE], second[DF_QUOTE_SIZE];
        if (after->begin < before->end)
            return df_error_set("%s and %s overlap", df_quote(first, before->name, strlen(before->name)),
                                df_quote(second, after->name, strlen(after->name)));
    }
    return 0;
}

/* An unknown name in the list is no harm: somebody took the tensor out. */
static int read_parameters(struct df_state *state, const char *list)
{
    cJSON *names = cJSON_Parse(list);
    const cJSON *item;

    if (!cJSON_IsArray(names)) {
        cJSON_Delete(names);
        return df_error_set("the metadata %s is not a list", DF_SAFETENSORS_PARAMETERS);
    }
    cJSON_ArrayForEach(item, names)
    {
        const char *name = cJSON_GetStringValue(item);
        for (size_t i = 0; name && i < state->count; i++) {
            struct df_entry *entry = &state->entries[i];
            if (!entry->text && strcmp(entry->name, name) == 0)
                entry->is_parameter = true;
        }
    }
    cJSON_Delete(names);
    return 0;
}

static int read_metadata(struct df_state *state, const cJSON *metadata)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, metadata)
    {
        const char *text = cJSON_GetStringValue(item);
        if (!text || !item->string) {
            state->ignored++;
        } else if (strcmp(item->string, DF_SAFETENSORS_PARAMETERS) == 0) {
            DF_TRY(read_parameters(state, text));
        } else if (strcmp(item->string, DF_SAFETENSORS_FORMAT) != 0 ||
                   strcmp(text, DF_SAFETENSORS_FORMAT_PT) != 0) {
            if (!df_state_add_text(state, item->string, text))
                return -1;
        }
    }
    return 0;
}

static int read_header(struct reading *reading, const cJSON *header)
{
    const cJSON *item, *metadata = NULL;
    size_t items = (size_t)cJSON_GetArraySize(header);

    reading->ranges = calloc(items ? items : 1, sizeof *reading->ranges);
    if (!reading->ranges)
        return df_error_memory("a list of tensors", items * sizeof *reading->ranges);
    cJSON_ArrayForEach(item, header)
    {
        if (strcmp(item->string, DF_SAFETENSORS_METADATA) == 0)
            metadata = item;
        else
            DF_TRY(read_tensor(reading, item));
    }
    DF_TRY(check_no_overlap(reading));
    return metadata ? read_metadata(reading->state, metadata) : 0;
}

int df_safetensors_read(struct df_state *state)
{
    const struct df_mapping *mapping = state->mapping;
    struct reading reading = {.state = state};

    assert(mapping->size > LENGTH_BYTES && mapping->bytes[LENGTH_BYTES] == '{'); /* so the format was told */
    uint64_t length = df_le_get(mapping->bytes, LENGTH_BYTES);
    if (length > mapping->size - LENGTH_BYTES || length > DF_SAFETENSORS_HEADER_MAX)
        return df_error_set("its header of %" PRIu64
                            " bytes does not fit a file of %zu (at most %zu are allowed): "
                            "it is damaged or was cut short",
                            length, mapping->size, DF_SAFETENSORS_HEADER_MAX);
    reading.data = mapping->bytes + LENGTH_BYTES + length;
    reading.data_size = mapping->size - LENGTH_BYTES - length;
    cJSON *header = cJSON_ParseWithLength((const char *)mapping->bytes + LENGTH_BYTES, (size_t)length);
    int status =
        header ? read_header(&reading, header) : df_error_set("its header is not JSON: it is damaged");
    free(reading.ranges);
    cJSON_Delete(header);
    return status;
}
