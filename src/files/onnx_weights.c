/* The initialisers of an ONNX model. Only the parts of onnx.proto that carry weights are read:
 * ModelProto.graph, GraphProto.node and .initializer. */
#include "dinoft/weight_file.h"

#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/text.h"
#include "onnx_tensor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MATMULS 65536

enum { MODEL_GRAPH = 7 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_NAME = 3, NODE_OP_TYPE = 4 };

struct matmul {
    struct df_pb_bytes name, weight; /* the node's path, and the name of its second input */
};

struct reading {
    struct df_state *state;
    struct matmul *matmuls;
    size_t matmul_count, matmul_capacity;
};

static bool equals(struct df_pb_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.at, text, bytes.size) == 0;
}

static int append_matmul(struct reading *reading, const struct matmul *matmul)
{
    if (reading->matmul_count == reading->matmul_capacity) {
        size_t capacity = reading->matmul_capacity ? 2 * reading->matmul_capacity : 256;
        if (capacity > MAX_MATMULS)
            return df_error_set("the model has more than %d MatMul nodes", MAX_MATMULS);
        struct matmul *grown = realloc(reading->matmuls, capacity * sizeof *grown);
        if (!grown)
            return df_error_memory("a list of MatMul nodes", capacity * sizeof *grown);
        reading->matmuls = grown;
        reading->matmul_capacity = capacity;
    }
    reading->matmuls[reading->matmul_count++] = *matmul;
    return 0;
}

static int read_node(struct reading *reading, struct df_pb_bytes node)
{
    struct df_pb_field field;
    struct matmul matmul = {0};
    bool is_matmul = false;
    int status, inputs = 0;

    while ((status = df_pb_next(&node, &field)) > 0) {
        if (df_pb_is(&field, NODE_INPUT, DF_PB_BYTES) && inputs++ == 1)
            matmul.weight = field.bytes;
        else if (df_pb_is(&field, NODE_NAME, DF_PB_BYTES))
            matmul.name = field.bytes;
        else if (df_pb_is(&field, NODE_OP_TYPE, DF_PB_BYTES))
            is_matmul = equals(field.bytes, "MatMul");
    }
    if (status == 0 && is_matmul && matmul.weight.size && matmul.name.size)
        status = append_matmul(reading, &matmul);
    return status;
}

/* "/backbone/layer.0/query/MatMul" -> "backbone.layer.0.query.weight"; NULL without an error if it is no such
 * path. */
static char *name_from_path(struct df_pb_bytes path)
{
    static const char ending[] = "/MatMul";
    const size_t ending_length = sizeof ending - 1;

    if (path.size <= 1 + ending_length || path.at[0] != '/' || memchr(path.at, '\0', path.size) ||
        memcmp(path.at + path.size - ending_length, ending, ending_length) != 0)
        return NULL;
    char *name =
        df_text_format("%.*s.weight", (int)(path.size - 1 - ending_length), (const char *)path.at + 1);
    for (char *slash = name; slash && (slash = strchr(slash, '/'));)
        *slash = '.';
    return name;
}

/* An exporter that folds a linear layer's transposed weight into a constant loses its name: the node that
 * uses it still has the path of the layer. Such a weight is stored [in, out] and is brought back to [out,
 * in]. */
static int name_weight(struct reading *reading, const struct df_onnx_tensor *tensor)
{
    for (size_t i = 0; i < reading->matmul_count; i++) {
        if (!equals(reading->matmuls[i].weight, tensor->name))
            continue;
        char *name = name_from_path(reading->matmuls[i].name);
        if (!name)
            continue;
        int status =
            df_state_find(reading->state, name) ? 1 : df_onnx_append_transposed(reading->state, name, tensor);
        free(name);
        if (status <= 0)
            return status;
    }
    return df_onnx_append(reading->state, tensor->name, tensor);
}

static int read_initializer(struct reading *reading, struct df_pb_bytes message)
{
    struct df_onnx_tensor tensor;
    int status = df_onnx_tensor_parse(message, &tensor);

    if (status == 0) {
        if (!tensor.has_dtype)
            reading->state->ignored++;
        else if (df_text_starts_with(tensor.name, "onnx::") && tensor.ndim == 2)
            status = name_weight(reading, &tensor);
        else
            status = df_onnx_append(reading->state, tensor.name, &tensor);
    }
    df_onnx_tensor_clear(&tensor);
    return status;
}

static int read_graph(struct reading *reading, struct df_pb_bytes graph)
{
    struct df_pb_field field;
    struct df_pb_bytes rest = graph;
    int status;

    while ((status = df_pb_next(&rest, &field)) > 0) {
        if (df_pb_is(&field, GRAPH_NODE, DF_PB_BYTES))
            DF_TRY(read_node(reading, field.bytes));
    }
    DF_TRY(status);
    while ((status = df_pb_next(&graph, &field)) > 0) {
        if (df_pb_is(&field, GRAPH_INITIALIZER, DF_PB_BYTES))
            DF_TRY(read_initializer(reading, field.bytes));
    }
    return status;
}

static int read_model(struct reading *reading)
{
    struct df_pb_bytes model = {reading->state->mapping->bytes, reading->state->mapping->size};
    struct df_pb_field field;
    bool found = false;
    int status;

    while ((status = df_pb_next(&model, &field)) > 0) {
        if (!df_pb_is(&field, MODEL_GRAPH, DF_PB_BYTES))
            continue;
        if (found)
            return df_error_set("it has two graphs: the file is damaged");
        found = true;
        DF_TRY(read_graph(reading, field.bytes));
    }
    if (status == 0 && !found)
        return df_error_set("not an ONNX model: it has no graph");
    return status;
}

int df_onnx_read(struct df_state *state)
{
    struct reading reading = {.state = state};
    int status = read_model(&reading);

    free(reading.matmuls);
    return status;
}
