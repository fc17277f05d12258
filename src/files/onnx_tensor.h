/* One TensorProto of an ONNX model. */
#ifndef FILES_ONNX_TENSOR_H
#define FILES_ONNX_TENSOR_H

#include "dinoft/state.h"
#include "protobuf.h"

struct df_onnx_tensor {
    char *name;
    bool has_dtype; /* false: an element type that no weights have (strings, complex numbers, …); no data is
                       read */
    enum df_dtype dtype;
    int ndim;
    int64_t shape[DF_MAX_DIMS];
    size_t count;
    const void *data; /* row-major: in the file, or `owned` */
    void *owned;
};

/* -1 with the error set; clear it in either case. */
int df_onnx_tensor_parse(struct df_pb_bytes message, struct df_onnx_tensor *tensor);
void df_onnx_tensor_clear(struct df_onnx_tensor *tensor);

/* Append it under a name; the second as [columns, rows] of a [rows, columns] matrix. */
int df_onnx_append(struct df_state *state, const char *name, const struct df_onnx_tensor *tensor);
int df_onnx_append_transposed(struct df_state *state, const char *name, const struct df_onnx_tensor *tensor);

#endif
