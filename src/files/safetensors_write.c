#include "safetensors.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/weight_file.h"
#include "little_endian.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define WIDEST_ELEMENT 8

static size_t tensor_bytes(const struct df_tensor *tensor)
{
    return tensor->count * df_dtype_size(tensor->dtype);
}

/* Visits the tensors in the order of their data: widest elements first, so that all of them are aligned in
 * the file without holes, which the format forbids. Begin with *index = *width = 0; NULL at the end. */
static const struct df_entry *next_in_data(const struct df_state *state, size_t *index, size_t *width)
{
    if (*width == 0)
        *width = WIDEST_ELEMENT;
    for (; *width; *width /= 2, *index = 0) {
        while (*index < state->count) {
            const struct df_entry *entry = &state->entries[(*index)++];
            if (!entry->text && df_dtype_size(entry->tensor.dtype) == *width)
                return entry;
        }
    }
    return NULL;
}

static int set_offsets(const struct df_state *state, double *begins)
{
    size_t index = 0, width = 0, offset = 0;
    const struct df_entry *entry;

    while ((entry = next_in_data(state, &index, &width))) {
        begins[entry - state->entries] = (double)offset;
        if (!df_size_add(offset, tensor_bytes(&entry->tensor), &offset))
            return df_error_set("the tensors are too large for one file");
    }
    return 0;
}

static bool add_tensor(cJSON *header, const struct df_entry *entry, double begin)
{
    const struct df_tensor *tensor = &entry->tensor;
    double shape[DF_MAX_DIMS];
    double offsets[] = {begin, begin + (double)tensor_bytes(tensor)};

    for (int i = 0; i < tensor->ndim; i++)
        shape[i] = (double)tensor->shape[i];
    cJSON *item = cJSON_AddObjectToObject(header, entry->name);
    return item && cJSON_AddStringToObject(item, "dtype", df_safetensors_dtype_name(tensor->dtype)) &&
           cJSON_AddItemToObject(item, "shape", cJSON_CreateDoubleArray(shape, tensor->ndim)) &&
           cJSON_AddItemToObject(item, "data_offsets", cJSON_CreateDoubleArray(offsets, 2));
}

static bool add_parameters(cJSON *metadata, const struct df_state *state)
{
    bool any = false, complete = false;
    cJSON *names = cJSON_CreateArray();

    for (size_t i = 0; i < state->count; i++) {
        if (!state->entries[i].is_parameter)
            continue;
        any = true;
        if (!cJSON_AddItemToArray(names, cJSON_CreateString(state->entries[i].name)))
            goto end;
    }
    if (any) {
        char *text = cJSON_PrintUnformatted(names);
        complete = text && cJSON_AddStringToObject(metadata, DF_SAFETENSORS_PARAMETERS, text);
        cJSON_free(text);
    } else {
        complete = names != NULL;
    }
end:
    cJSON_Delete(names);
    return complete;
}

static bool add_metadata(cJSON *header, const struct df_state *state)
{
    cJSON *metadata = cJSON_AddObjectToObject(header, DF_SAFETENSORS_METADATA);
    if (!metadata)
        return false;
    if (!df_state_find(state, DF_SAFETENSORS_FORMAT) &&
        !cJSON_AddStringToObject(metadata, DF_SAFETENSORS_FORMAT, DF_SAFETENSORS_FORMAT_PT))
        return false;
    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        if (entry->text && !cJSON_AddStringToObject(metadata, entry->name, entry->text))
            return false;
    }
    return add_parameters(metadata, state);
}

/* The JSON header, its length a multiple of 8 (filled up with spaces); free() it with cJSON_free. */
static char *make_header(const struct df_state *state, size_t *length)
{
    char *text = NULL;
    double *begins = calloc(state->count + 1, sizeof *begins);
    cJSON *header = cJSON_CreateObject();
    bool complete = begins && header;

    if (complete && set_offsets(state, begins) != 0)
        goto end;
    complete = complete && add_metadata(header, state);
    for (size_t i = 0; complete && i < state->count; i++) {
        if (!state->entries[i].text)
            complete = add_tensor(header, &state->entries[i], begins[i]);
    }
    text = complete ? cJSON_PrintUnformatted(header) : NULL;
    if (!text) {
        df_error_set("out of memory for the header of %zu tensors", state->count);
        goto end;
    }
    *length = strlen(text);
end:
    free(begins);
    cJSON_Delete(header);
    return text;
}

/* A failed write stays in the stream: the commit tells it. */
static void write_all(FILE *stream, const struct df_state *state, const char *header, size_t length)
{
    static const char spaces[8] = "        ";
    size_t padding = (8 - length % 8) % 8;
    unsigned char prefix[8];
    size_t index = 0, width = 0;
    const struct df_entry *entry;

    df_le_put(prefix, sizeof prefix, length + padding);
    fwrite(prefix, 1, sizeof prefix, stream);
    fwrite(header, 1, length, stream);
    fwrite(spaces, 1, padding, stream);
    while ((entry = next_in_data(state, &index, &width)) && !ferror(stream))
        fwrite(entry->tensor.data, 1, tensor_bytes(&entry->tensor), stream);
}

int df_safetensors_write(const char *path, const struct df_state *state)
{
    size_t length = 0;

    if (df_state_find(state, DF_SAFETENSORS_METADATA))
        return df_error_set("cannot write %s: a safetensors file cannot hold a tensor named %s", path,
                            DF_SAFETENSORS_METADATA);
    char *header = df_state_check_texts(state) == 0 ? make_header(state, &length) : NULL;
    if (!header)
        return df_error_context("cannot write %s", path);
    int status = -1;
    struct df_atomic_file *file = df_atomic_open(path);
    if (file) {
        write_all(df_atomic_stream(file), state, header, length);
        status = df_atomic_commit(file);
    }
    cJSON_free(header);
    return status;
}
