#include "files/file_support.h"
#include "files/onnx_builder.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/weight_file.h"

#include <string.h>

static const float six[] = {1, 2, 3, 4, 5, 6};
static const int64_t matrix[] = {2, 3};

static const struct df_tensor *tensor_of(const struct df_state *state, const char *name)
{
    const struct df_entry *entry = df_state_find(state, name);
    if (!entry)
        fail_msg("%s is missing", name);
    return &entry->tensor;
}

static void reads_raw_data(void **unused)
{
    static struct pb graph;
    graph.size = 0;
    pb_text(&graph, 2, "main_graph");
    onnx_initializer(&graph, "named", 1, 2, matrix, six, sizeof six);
    onnx_initializer(&graph, "scalar", 11, 0, NULL, "\0\0\0\0\0\0\xf0\x3f", 8);
    onnx_initializer(&graph, "words", 8, 0, NULL, "", 0); /* strings: no weights */
    struct df_state *state = read_weights(onnx_put_model("raw.onnx", &graph));
    assert_int_equal(state->count, 2);
    assert_int_equal(state->ignored, 1);
    const struct df_tensor *named = tensor_of(state, "named");
    assert_int_equal(named->dtype, DF_F32);
    assert_int_equal(named->ndim, 2);
    assert_memory_equal(named->shape, matrix, sizeof matrix);
    assert_memory_equal(named->data, six, sizeof six);
    assert_int_equal(tensor_of(state, "scalar")->dtype, DF_F64);
    assert_int_equal(tensor_of(state, "scalar")->count, 1);
    df_state_free(state);
}

/* An anonymous second input of a MatMul gets the node's path, and is turned round; others stay as they are.
 */
static void names_folded_weights(void **unused)
{
    static const float turned[] = {1, 4, 2, 5, 3, 6};
    static struct pb graph;
    graph.size = 0;
    onnx_node(&graph, "MatMul", "/backbone/layer.0/query/MatMul", "x", "onnx::MatMul_1");
    onnx_node(&graph, "MatMul", "/backbone/layer.0/key/MatMul", "onnx::MatMul_2", "x");
    onnx_node(&graph, "Add", "/backbone/layer.0/value/MatMul", "x", "onnx::MatMul_3");
    onnx_node(&graph, "MatMul", "no path", "x", "onnx::MatMul_4");
    onnx_node(&graph, "MatMul", "/backbone/layer.0/query/MatMul", "x", "onnx::MatMul_5");
    onnx_initializer(&graph, "onnx::MatMul_1", 1, 2, matrix, six, sizeof six);
    onnx_initializer(&graph, "onnx::MatMul_2", 1, 2, matrix, six, sizeof six);
    onnx_initializer(&graph, "onnx::MatMul_3", 1, 2, matrix, six, sizeof six);
    onnx_initializer(&graph, "onnx::MatMul_4", 1, 2, matrix, six, sizeof six);
    onnx_initializer(&graph, "onnx::MatMul_5", 1, 2, matrix, six, sizeof six);
    struct df_state *state = read_weights(onnx_put_model("names.onnx", &graph));
    assert_int_equal(state->count, 5);
    const struct df_tensor *query = tensor_of(state, "backbone.layer.0.query.weight");
    assert_int_equal(query->shape[0], 3);
    assert_int_equal(query->shape[1], 2);
    assert_memory_equal(query->data, turned, sizeof turned);
    for (int i = 1; i < 5; i++) { /* the last: its path is taken */
        char name[] = "onnx::MatMul_N";
        name[sizeof name - 2] = (char)('1' + i);
        assert_memory_equal(tensor_of(state, name)->data, six, sizeof six);
    }
    df_state_free(state);
}

/* A tensor of two float elements 1, 2 whose data stands in its type's own field. */
static void begin_tensor(struct pb *tensor, const char *name, int type)
{
    tensor->size = 0;
    pb_bytes(tensor, 1, "\x02", 1); /* dims, packed */
    pb_number(tensor, 2, (uint64_t)type);
    pb_text(tensor, 8, name);
}

static void reads_typed_data(void **unused)
{
    static const double doubles[] = {1, 2};
    static struct pb graph, tensor;
    graph.size = 0;
    begin_tensor(&tensor, "packed", 1);
    pb_bytes(&tensor, 4, six, 8);
    pb_message(&graph, 5, &tensor);
    begin_tensor(&tensor, "single", 1);
    for (int i = 0; i < 2; i++) {
        pb_varint(&tensor, 4 << 3 | 5);
        memcpy(tensor.bytes + tensor.size, &six[i], 4);
        tensor.size += 4;
    }
    pb_message(&graph, 5, &tensor);
    begin_tensor(&tensor, "doubles", 11);
    pb_bytes(&tensor, 10, doubles, sizeof doubles);
    pb_message(&graph, 5, &tensor);
    begin_tensor(&tensor, "half", 10);
    pb_number(&tensor, 5, 0x3c00);
    pb_number(&tensor, 5, 0x4000);
    pb_message(&graph, 5, &tensor);
    begin_tensor(&tensor, "long", 7);
    pb_bytes(&tensor, 7, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); /* 1, -1 */
    pb_message(&graph, 5, &tensor);

    struct df_state *state = read_weights(onnx_put_model("typed.onnx", &graph));
    static const char *const names[] = {"packed", "single", "doubles", "half"};
    for (int i = 0; i < 4; i++) {
        float values[2];
        const struct df_tensor *found = tensor_of(state, names[i]);
        assert_int_equal(found->count, 2);
        df_convert_to_f32(values, found->data, found->dtype, 2);
        assert_memory_equal(values, six, sizeof values);
    }
    assert_memory_equal(tensor_of(state, "long")->data, ((const int64_t[]){1, -1}), 16);
    df_state_free(state);
}

static void assert_refused(const struct pb *graph, const char *error)
{
    assert_weights_refused(onnx_put_model("bad.onnx", graph), error);
}

static void refuses(void **unused)
{
    static struct pb graph, tensor;
    graph.size = 0;
    begin_tensor(&tensor, "w", 1);
    pb_number(&tensor, 14, 1);
    pb_message(&graph, 5, &tensor);
    assert_refused(&graph, "w is kept in another file (ONNX external data), which is not supported");

    graph.size = 0;
    onnx_initializer(&graph, "w", 1, 2, matrix, six, 20);
    assert_refused(&graph, "w: 20 bytes of data do not fit float32 of shape [2, 3]");

    graph.size = 0;
    begin_tensor(&tensor, "w", 1);
    pb_message(&graph, 5, &tensor);
    assert_refused(&graph, "w: its data is missing or incomplete");
    pb_bytes(&tensor, 4, six, 12);
    graph.size = 0;
    pb_message(&graph, 5, &tensor);
    assert_refused(&graph, "w: more elements than its shape has");

    graph.size = 0;
    onnx_initializer(&graph, "w", 1, 2, ((const int64_t[]){INT64_MAX, 3}), six, 4);
    assert_refused(&graph, "w: its shape is impossible");
    graph.size = 0;
    onnx_initializer(&graph, "w", 1, 1, ((const int64_t[]){-1}), six, 4);
    assert_refused(&graph, "a negative dimension");
    graph.size = 0;
    onnx_initializer(&graph, "", 1, 2, matrix, six, sizeof six);
    assert_refused(&graph, "an initialiser has no name");
    graph.size = 0;
    onnx_initializer(&graph, "w", 1, 2, matrix, six, sizeof six);
    onnx_initializer(&graph, "w", 1, 2, matrix, six, sizeof six);
    assert_refused(&graph, "w is there twice");
    graph.size = 0;
    pb_varint(&graph, 5 << 3 | 3); /* a group: not used since proto3 */
    assert_refused(&graph, "a field of the unknown wire type 3");

    assert_null(df_weight_file_read(scratch_write("bad.onnx", "\x08\x07\x08\x07", 4), NULL));
    assert_error_has("not an ONNX model: it has no graph");
}

static void survives_damage(void **unused)
{
    static struct pb graph, tensor;
    graph.size = 0;
    onnx_node(&graph, "MatMul", "/layer/MatMul", "x", "onnx::MatMul_1");
    onnx_initializer(&graph, "onnx::MatMul_1", 1, 2, matrix, six, sizeof six);
    begin_tensor(&tensor, "packed", 1);
    pb_bytes(&tensor, 4, six, 8);
    pb_message(&graph, 5, &tensor);
    begin_tensor(&tensor, "long", 7);
    pb_bytes(&tensor, 7, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    pb_message(&graph, 5, &tensor);
    read_damaged(onnx_put_model("whole.onnx", &graph), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_raw_data),   cmocka_unit_test(names_folded_weights),
        cmocka_unit_test(reads_typed_data), cmocka_unit_test(refuses),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
