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

enum class operation_kind { matmul, pointwise, reduction, reshape };

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

/* The gradient of attention; dq_sums has no name where dq is written at once. */
struct graph_gradient {
    graph_tensor q, k, v, out, dout, lse, scale, one, delta, dq, dk, dv, dq_sums;
};

struct gradient_run {
    graph_gradient shape;
    void *q, *k, *v, *out, *dout, *lse, *delta, *dq, *dk, *dv, *dq_sums;
    float scale;
    bool backwards, odd;
};

/* From the first element to the last. */
size_t tensor_bytes(const graph_tensor &tensor);

/* Whether every virtual tensor that is read is made by an earlier operation, and no tensor by two. */
bool is_connected(const std::vector<graph_operation> &operations);

/* Whether it is scale q k^T, its softmax written out, with the logarithm of its sums, and the product with v.
 */
bool is_attention(const std::vector<graph_operation> &operations, graph_attention &attention);

/* Whether it is the gradient, written out too. */
bool is_gradient(const std::vector<graph_operation> &operations, graph_gradient &gradient);

/* On the host, with device memory open. */
void compute_attention(const attention_run &run);
void compute_gradient(const gradient_run &run);

/* What is to be run, and how: what a plan's text says. */
struct graph_plan {
    int engine; /* 0 to 2 of the heuristics' list; by_hand + n: number n, set by hand */
    std::vector<graph_operation> operations;
};

enum { by_hand = 100 };

std::vector<char> write_plan(const graph_plan &plan);

/* False for a text that write_plan() did not write, or wrote for another version. */
bool read_plan(const std::vector<char> &text, graph_plan &plan);

/* --- for both --- */

/* The operation that makes a tensor; nullptr if none does, or another one. */
const graph_operation *find_producer(const std::vector<graph_operation> &operations,
                                     const graph_tensor &tensor);
const graph_operation *expect(const std::vector<graph_operation> &operations, const graph_tensor &y,
                              operation_kind kind, int mode);
bool has_shape(const graph_tensor &t, cudnnDataType_t type, int64_t b, int64_t h, int64_t rows,
               int64_t columns);
bool is_inside(const graph_tensor &t, cudnnDataType_t type);
float read_bf16(const void *p, int64_t i);
uint16_t to_bf16(float value);
int64_t element_offset(const graph_tensor &t, int64_t b, int64_t h, int64_t row, int64_t column);

} // namespace emulation

#endif
