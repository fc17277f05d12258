/* Writes small ONNX models byte by byte, as onnx.proto lays them out, for the tests of the reader. */
#ifndef TESTS_ONNX_BUILDER_H
#define TESTS_ONNX_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#define ONNX_BUILDER_MAX (1 << 16)

struct pb {
    unsigned char bytes[ONNX_BUILDER_MAX];
    size_t size;
};

/* Append to a message: a varint field, one with a string, bytes, or a sub-message. */
void pb_varint(struct pb *message, uint64_t value);
void pb_number(struct pb *message, unsigned field, uint64_t value);
void pb_bytes(struct pb *message, unsigned field, const void *bytes, size_t size);
void pb_text(struct pb *message, unsigned field, const char *text);
void pb_message(struct pb *message, unsigned field, const struct pb *inner);

/* Append to a GraphProto. type is TensorProto.DataType: 1 is float. */
void onnx_initializer(struct pb *graph, const char *name, int type, int ndim, const int64_t *dims,
                      const void *raw, size_t size);
void onnx_node(struct pb *graph, const char *op, const char *name, const char *first_input,
               const char *second_input);

/* A whole ModelProto of the graph. Returns the path of the file, of scratch_path(). */
const char *onnx_put_model(const char *file, const struct pb *graph);

#endif
