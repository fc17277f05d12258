#include "files/onnx_builder.h"

#include "files/file_support.h"
#include "support/scratch.h"

#include <string.h>

void pb_varint(struct pb *message, uint64_t value)
{
    do {
        assert_true(message->size < ONNX_BUILDER_MAX);
        message->bytes[message->size++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
}

void pb_number(struct pb *message, unsigned field, uint64_t value)
{
    pb_varint(message, field << 3);
    pb_varint(message, value);
}

void pb_bytes(struct pb *message, unsigned field, const void *bytes, size_t size)
{
    pb_varint(message, field << 3 | 2);
    pb_varint(message, size);
    assert_true(size <= ONNX_BUILDER_MAX - message->size);
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

void pb_text(struct pb *message, unsigned field, const char *text)
{
    pb_bytes(message, field, text, strlen(text));
}

void pb_message(struct pb *message, unsigned field, const struct pb *inner)
{
    pb_bytes(message, field, inner->bytes, inner->size);
}

void onnx_initializer(struct pb *graph, const char *name, int type, int ndim, const int64_t *dims,
                      const void *raw, size_t size)
{
    static struct pb tensor;
    tensor.size = 0;
    for (int i = 0; i < ndim; i++)
        pb_number(&tensor, 1, (uint64_t)dims[i]);
    pb_number(&tensor, 2, (uint64_t)type);
    pb_text(&tensor, 8, name);
    pb_bytes(&tensor, 9, raw, size);
    pb_message(graph, 5, &tensor);
}

void onnx_node(struct pb *graph, const char *op, const char *name, const char *first_input,
               const char *second_input)
{
    static struct pb node;
    node.size = 0;
    pb_text(&node, 1, first_input);
    pb_text(&node, 1, second_input);
    pb_text(&node, 2, "output");
    pb_text(&node, 3, name);
    pb_text(&node, 4, op);
    pb_message(graph, 1, &node);
}

const char *onnx_put_model(const char *file, const struct pb *graph)
{
    static struct pb model;
    model.size = 0;
    pb_number(&model, 1, 7); /* ir_version */
    pb_text(&model, 2, "a test");
    pb_message(&model, 7, graph);
    return scratch_write(file, model.bytes, model.size);
}
