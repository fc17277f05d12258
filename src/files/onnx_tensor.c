#include "onnx_tensor.h"

#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "little_endian.h"
#include "quote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    TENSOR_DIMS = 1,
    TENSOR_DATA_TYPE = 2,
    TENSOR_FLOAT_DATA = 4,
    TENSOR_INT32_DATA = 5,
    TENSOR_INT64_DATA = 7,
    TENSOR_NAME = 8,
    TENSOR_RAW_DATA = 9,
    TENSOR_DOUBLE_DATA = 10,
    TENSOR_EXTERNAL_DATA = 13,
    TENSOR_DATA_LOCATION = 14
};

/* TensorProto.DataType, and the field that holds the elements where raw_data does not. */
static const struct {
    uint64_t code;
    enum df_dtype dtype;
    uint32_t field;
} types[] = {{1, DF_F32, TENSOR_FLOAT_DATA},   {2, DF_U8, TENSOR_INT32_DATA},
             {3, DF_I8, TENSOR_INT32_DATA},    {5, DF_I16, TENSOR_INT32_DATA},
             {6, DF_I32, TENSOR_INT32_DATA},   {7, DF_I64, TENSOR_INT64_DATA},
             {9, DF_BOOL, TENSOR_INT32_DATA},  {10, DF_F16, TENSOR_INT32_DATA},
             {11, DF_F64, TENSOR_DOUBLE_DATA}, {16, DF_BF16, TENSOR_INT32_DATA}};

static int append_dim(struct df_onnx_tensor *tensor, uint64_t dim)
{
    if (tensor->ndim == DF_MAX_DIMS)
        return df_error_set("an initialiser has more than %d dimensions", DF_MAX_DIMS);
    if (dim > INT64_MAX)
        return df_error_set("an initialiser has a negative dimension");
    tensor->shape[tensor->ndim++] = (int64_t)dim;
    return 0;
}

static int read_dims(struct df_onnx_tensor *tensor, const struct df_pb_field *field)
{
    uint64_t dim;

    if (field->wire == DF_PB_VARINT)
        return append_dim(tensor, field->value);
    for (struct df_pb_bytes rest = field->bytes; rest.size;) {
        DF_TRY(df_pb_varint(&rest, &dim));
        DF_TRY(append_dim(tensor, dim));
    }
    return 0;
}

static int set_name(struct df_onnx_tensor *tensor, struct df_pb_bytes bytes)
{
    if (bytes.size > INT32_MAX || memchr(bytes.at, '\0', bytes.size))
        return df_error_set("an initialiser has an impossible name: the file is damaged");
    free(tensor->name);
    tensor->name = df_text_format("%.*s", (int)bytes.size, (const char *)bytes.at);
    return tensor->name ? 0 : -1;
}

struct message {
    uint64_t type_code;
    bool has_raw;
    struct df_pb_bytes raw;
};

static int read_description(struct df_pb_bytes rest, struct df_onnx_tensor *tensor, struct message *message)
{
    struct df_pb_field field;
    bool external = false;
    int status;

    while ((status = df_pb_next(&rest, &field)) > 0) {
        if (field.number == TENSOR_DIMS) {
            DF_TRY(read_dims(tensor, &field));
        } else if (df_pb_is(&field, TENSOR_DATA_TYPE, DF_PB_VARINT)) {
            message->type_code = field.value;
        } else if (df_pb_is(&field, TENSOR_NAME, DF_PB_BYTES)) {
            DF_TRY(set_name(tensor, field.bytes));
        } else if (df_pb_is(&field, TENSOR_RAW_DATA, DF_PB_BYTES)) {
            message->has_raw = true;
            message->raw = field.bytes;
        } else if (field.number == TENSOR_EXTERNAL_DATA ||
                   (df_pb_is(&field, TENSOR_DATA_LOCATION, DF_PB_VARINT) && field.value != 0)) {
            external = true;
        }
    }
    DF_TRY(status);
    if (!tensor->name || !*tensor->name)
        return df_error_set("an initialiser has no name: the file is damaged");
    char quoted[DF_QUOTE_SIZE];
    if (external)
        return df_error_set("%s is kept in another file (ONNX external data), which is not supported: "
                            "save the model as one file",
                            df_quote(quoted, tensor->name, strlen(tensor->name)));
    return 0;
}

/* Where the elements of a type's own field are gathered. */
struct gather {
    unsigned char *at;
    size_t left, width;
};

static int gather_one(struct gather *gather, uint64_t value)
{
    if (gather->left == 0)
        return df_error_set("more elements than its shape has");
    gather->at = df_le_put(gather->at, (unsigned)gather->width, value);
    gather->left--;
    return 0;
}

/* Packed into one string or one by one, fixed-width or varints. */
static int gather_field(struct gather *gather, const struct df_pb_field *field, bool fixed)
{
    uint64_t value;

    if (field->wire != DF_PB_BYTES)
        return gather_one(gather, field->value);
    struct df_pb_bytes rest = field->bytes;
    while (rest.size) {
        if (fixed) {
            if (rest.size < gather->width)
                return df_error_set("its data ends within an element");
            value = df_le_get(rest.at, (unsigned)gather->width);
            rest.at += gather->width;
            rest.size -= gather->width;
        } else {
            DF_TRY(df_pb_varint(&rest, &value));
        }
        DF_TRY(gather_one(gather, value));
    }
    return 0;
}

static int gather_elements(struct df_pb_bytes rest, struct df_onnx_tensor *tensor, uint32_t number,
                           size_t size)
{
    bool fixed = number == TENSOR_FLOAT_DATA || number == TENSOR_DOUBLE_DATA;
    struct df_pb_field field;
    int status;

    if (tensor->count >
        rest.size) /* an element takes a byte at least: no allocation that the file does not pay for */
        return df_error_set("its data is missing or incomplete");
    tensor->owned = malloc(size ? size : 1);
    if (!tensor->owned)
        return df_error_memory("an ONNX initialiser", size);
    tensor->data = tensor->owned;
    struct gather gather = {tensor->owned, tensor->count, df_dtype_size(tensor->dtype)};
    while ((status = df_pb_next(&rest, &field)) > 0) {
        if (field.number == number)
            DF_TRY(gather_field(&gather, &field, fixed));
    }
    DF_TRY(status);
    return gather.left ? df_error_set("its data is missing or incomplete") : 0;
}

static int find_data(struct df_pb_bytes bytes, struct df_onnx_tensor *tensor, const struct message *message)
{
    size_t size;
    uint32_t number = 0;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].code == message->type_code) {
            tensor->has_dtype = true;
            tensor->dtype = types[i].dtype;
            number = types[i].field;
        }
    }
    if (!tensor->has_dtype)
        return 0;
    if (!df_shape_count(tensor->shape, tensor->ndim, &tensor->count) ||
        !df_size_mul(tensor->count, df_dtype_size(tensor->dtype), &size))
        return df_error_set("its shape is impossible");
    if (!message->has_raw)
        return gather_elements(bytes, tensor, number, size);
    char text[DF_SHAPE_TEXT_MAX];
    if (message->raw.size != size)
        return df_error_set("%zu bytes of data do not fit %s of shape %s", message->raw.size,
                            df_dtype_name(tensor->dtype), df_shape_text(tensor->shape, tensor->ndim, text));
    tensor->data = message->raw.at;
    return 0;
}

int df_onnx_tensor_parse(struct df_pb_bytes bytes, struct df_onnx_tensor *tensor)
{
    struct message message = {0};
    char quoted[DF_QUOTE_SIZE];

    memset(tensor, 0, sizeof *tensor);
    DF_TRY(read_description(bytes, tensor, &message));
    if (find_data(bytes, tensor, &message) != 0)
        return df_error_context("%s", df_quote(quoted, tensor->name, strlen(tensor->name)));
    return 0;
}

void df_onnx_tensor_clear(struct df_onnx_tensor *tensor)
{
    free(tensor->name);
    free(tensor->owned);
}

int df_onnx_append(struct df_state *state, const char *name, const struct df_onnx_tensor *tensor)
{
    const struct df_entry *entry =
        tensor->owned
            ? df_state_copy(state, name, tensor->dtype, tensor->ndim, tensor->shape, tensor->data)
            : df_state_borrow(state, name, tensor->dtype, tensor->ndim, tensor->shape, tensor->data);
    return entry ? 0 : -1;
}

int df_onnx_append_transposed(struct df_state *state, const char *name, const struct df_onnx_tensor *tensor)
{
    size_t rows = (size_t)tensor->shape[0], columns = (size_t)tensor->shape[1];
    size_t width = df_dtype_size(tensor->dtype);
    int64_t shape[] = {tensor->shape[1], tensor->shape[0]};
    unsigned char *bytes = malloc(tensor->count ? tensor->count * width : 1);

    if (!bytes)
        return df_error_memory(name, tensor->count * width);
    const unsigned char *source = tensor->data;
    for (size_t c = 0; c < columns && tensor->count; c++) {
        for (size_t r = 0; r < rows; r++)
            memcpy(bytes + (c * rows + r) * width, source + (r * columns + c) * width, width);
    }
    return df_state_adopt(state, name, tensor->dtype, 2, shape, bytes) ? 0 : -1;
}
