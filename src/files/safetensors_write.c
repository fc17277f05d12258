#include "safetensors.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/mapped_file.h"
#include "dinoft/size.h"
#include "dinoft/weight_file.h"
#include "little_endian.h"

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

static int set_offsets(const struct df_state *state, size_t *begins)
{
    size_t index = 0, width = 0, offset = 0;
    const struct df_entry *entry;

    while ((entry = next_in_data(state, &index, &width))) {
        begins[entry - state->entries] = offset;
        if (!df_size_add(offset, tensor_bytes(&entry->tensor), &offset) || offset > INT64_MAX)
            return df_error_set("the tensors are too large for one file");
    }
    return 0;
}

static void add_tensor(struct df_json *json, const struct df_entry *entry, size_t begin)
{
    const struct df_tensor *tensor = &entry->tensor;

    df_json_object(json, entry->name);
    df_json_text(json, "dtype", df_safetensors_dtype_name(tensor->dtype));
    df_json_array(json, "shape");
    for (int i = 0; i < tensor->ndim; i++)
        df_json_integer(json, NULL, tensor->shape[i]);
    df_json_close(json);
    df_json_array(json, "data_offsets");
    df_json_integer(json, NULL, (int64_t)begin);
    df_json_integer(json, NULL, (int64_t)(begin + tensor_bytes(tensor)));
    df_json_close(json);
    df_json_close(json);
}

/* The names of parameters as JSON, as metadata are texts. NULL with the error set. */
static char *parameter_names(const struct df_state *state)
{
    struct df_json json = {0};

    df_json_array(&json, NULL);
    for (size_t i = 0; i < state->count; i++) {
        if (state->entries[i].is_parameter)
            df_json_text(&json, NULL, state->entries[i].name);
    }
    df_json_close(&json);
    return df_json_print(&json, "the names of parameters");
}

static bool has_parameters(const struct df_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->entries[i].is_parameter)
            return true;
    }
    return false;
}

/* parameters: their names; NULL: there are none. */
static void add_metadata(struct df_json *json, const struct df_state *state, const char *parameters)
{
    df_json_object(json, DF_SAFETENSORS_METADATA);
    if (!df_state_find(state, DF_SAFETENSORS_FORMAT))
        df_json_text(json, DF_SAFETENSORS_FORMAT, DF_SAFETENSORS_FORMAT_PT);
    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        if (entry->text)
            df_json_text(json, entry->name, entry->text);
    }
    if (parameters)
        df_json_text(json, DF_SAFETENSORS_PARAMETERS, parameters);
    df_json_close(json);
}

/* The JSON header, which the caller frees; NULL with the error set. */
static char *make_header(const struct df_state *state)
{
    struct df_json json = {0};
    char *header = NULL, *parameters = NULL;
    size_t *begins = calloc(state->count + 1, sizeof *begins);

    if (!begins) {
        df_error_memory("the offsets of tensors", (state->count + 1) * sizeof *begins);
        return NULL;
    }
    if (set_offsets(state, begins) != 0)
        goto done;
    if (has_parameters(state)) {
        parameters = parameter_names(state);
        if (!parameters)
            goto done;
    }
    df_json_object(&json, NULL);
    add_metadata(&json, state, parameters);
    for (size_t i = 0; i < state->count; i++) {
        if (!state->entries[i].text)
            add_tensor(&json, &state->entries[i], begins[i]);
    }
    df_json_close(&json);
    header = df_json_print(&json, "the header of tensors");
done:
    free(parameters);
    free(begins);
    return header;
}

/* A failed write stays in the stream: the commit tells it. */
static void write_all(FILE *stream, const struct df_state *state, const char *header)
{
    static const char spaces[8] = "        ";
    const size_t length = strlen(header), padding = (8 - length % 8) % 8;
    unsigned char prefix[8];
    size_t index = 0, width = 0;
    const struct df_entry *entry;

    df_le_put(prefix, sizeof prefix, length + padding);
    fwrite(prefix, 1, sizeof prefix, stream);
    fwrite(header, 1, length, stream);
    fwrite(spaces, 1, padding, stream);
    while ((entry = next_in_data(state, &index, &width)) && !ferror(stream))
        df_mapped_write(stream, entry->tensor.data, tensor_bytes(&entry->tensor));
}

int df_safetensors_write(const char *path, const struct df_state *state)
{
    if (df_state_find(state, DF_SAFETENSORS_METADATA))
        return df_error_set("cannot write %s: a safetensors file cannot hold a tensor named %s", path,
                            DF_SAFETENSORS_METADATA);
    char *header = df_state_check_texts(state) == 0 ? make_header(state) : NULL;
    if (!header)
        return df_error_context("cannot write %s", path);
    int status = -1;
    struct df_atomic_file *file = df_atomic_open(path);
    if (file) {
        write_all(df_atomic_stream(file), state, header);
        status = df_atomic_commit(file);
    }
    free(header);
    return status;
}
