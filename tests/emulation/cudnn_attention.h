/* Attention among cuDNN's operations: its form, and what it computes. */
#ifndef EMULATION_CUDNN_ATTENTION_H
#define EMULATION_CUDNN_ATTENTION_H

#include "include/cudnn.h"

#include <cstdint>
#include <vector>

namespace emulation
{

struct graph_tensor {
    int64_t name; /* 0: there is none */
    cudnnDataType_t type;
    int64_t alignment;
    int64_t dimensions[4], strides[4];
    bool is_virtual, by_value;
};

enum class operation_kind { matmul, pointwise, reduction };

/* y = x OPERATION b */
struct graph_operation {
    operation_kind kind;
    int mode;
    graph_tensor x, b, y;
};

struct graph_attention {
    graph_tensor q, k, v, out, scale, lse;
};

struct attention_run {
    graph_attention shape;
    void *q, *k, *v, *out, *lse; /* lse NULL: none */
    float scale;
    bool backwards; /* sums begin with the last key */
    bool odd;       /* every second run */
};

/* From the first element to the last. */
size_t tensor_bytes(const graph_tensor &tensor);

/* Whether every virtual tensor that is read is made by an earlier operation, and no tensor by two. */
bool is_connected(const std::vector<graph_operation> &operations);

/* Whether it is scale q k^T, its softmax written out, with the logarithm of its sums, and the product with v.
 */
bool is_attention(const std::vector<graph_operation> &operations, graph_attention &attention);

/* On the host, with device memory open. */
void compute_attention(const attention_run &run);

} // namespace emulation

#endif
