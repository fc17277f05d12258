#include "cudnn_attention.h"

#include "cudnn_state.h"
#include "tensor_core_sum.h"

#include <cmath>
#include <cstring>

namespace emulation
{

size_t tensor_bytes(const graph_tensor &tensor)
{
    int64_t last = 0;

    for (int i = 0; i < 4; i++)
        last += (tensor.dimensions[i] - 1) * tensor.strides[i];
    return (size_t)(last + 1) * (tensor.type == CUDNN_DATA_BFLOAT16 ? 2 : 4);
}

/* --- its form --- */

const graph_operation *find_producer(const std::vector<graph_operation> &operations,
                                     const graph_tensor &tensor)
{
    for (const graph_operation &o : operations) {
        if (o.y.name == tensor.name)
            return &o;
    }
    return nullptr;
}

bool is_connected(const std::vector<graph_operation> &operations)
{
    for (size_t i = 0; i < operations.size(); i++) {
        const std::vector<graph_operation> earlier(operations.begin(), operations.begin() + (ptrdiff_t)i);
        const graph_operation &o = operations[i];
        if (find_producer(earlier, o.y) || o.y.by_value)
            return false;
        if ((o.x.is_virtual && !find_producer(earlier, o.x)) ||
            (o.b.is_virtual && !find_producer(earlier, o.b)))
            return false;
    }
    return true;
}

const graph_operation *expect(const std::vector<graph_operation> &operations, const graph_tensor &y,
                              operation_kind kind, int mode)
{
    const graph_operation *const o = find_producer(operations, y);

    return o && o->kind == kind && (kind == operation_kind::matmul || o->mode == mode) ? o : nullptr;
}

bool has_shape(const graph_tensor &t, cudnnDataType_t type, int64_t b, int64_t h, int64_t rows,
               int64_t columns)
{
    return t.type == type && t.dimensions[0] == b && t.dimensions[1] == h && t.dimensions[2] == rows &&
           t.dimensions[3] == columns;
}

static bool check_shapes(const graph_attention &a)
{
    const int64_t b = a.q.dimensions[0], h = a.q.dimensions[1], n = a.q.dimensions[2],
                  size = a.q.dimensions[3];

    return has_shape(a.q, CUDNN_DATA_BFLOAT16, b, h, n, size) &&
           has_shape(a.k, CUDNN_DATA_BFLOAT16, b, h, size, n) &&
           has_shape(a.v, CUDNN_DATA_BFLOAT16, b, h, n, size) &&
           has_shape(a.out, CUDNN_DATA_BFLOAT16, b, h, n, size) &&
           has_shape(a.lse, CUDNN_DATA_FLOAT, b, h, n, 1) &&
           has_shape(a.scale, CUDNN_DATA_FLOAT, 1, 1, 1, 1) && a.q.strides[3] == 1 && a.k.strides[2] == 1 &&
           a.v.strides[3] == 1 && a.out.strides[3] == 1 && a.q.alignment >= 16 && a.k.alignment >= 16 &&
           a.v.alignment >= 16 && a.out.alignment >= 16 && size % 8 == 0 && size <= 128;
}

bool is_inside(const graph_tensor &t, cudnnDataType_t type)
{
    return t.is_virtual && t.type == type;
}

/* From the result to what it is made of. */
bool is_attention(const std::vector<graph_operation> &operations, graph_attention &attention)
{
    if (operations.size() != 10)
        return false;
    const graph_operation &last = operations.back();
    if (last.kind != operation_kind::matmul || last.y.is_virtual)
        return false;
    const graph_operation *const quotient =
        expect(operations, last.x, operation_kind::pointwise, CUDNN_POINTWISE_DIV);
    const graph_operation *const sum =
        quotient ? expect(operations, quotient->b, operation_kind::reduction, CUDNN_REDUCE_TENSOR_ADD)
                 : nullptr;
    const graph_operation *const power =
        sum ? expect(operations, quotient->x, operation_kind::pointwise, CUDNN_POINTWISE_EXP) : nullptr;
    const graph_operation *const difference =
        power ? expect(operations, power->x, operation_kind::pointwise, CUDNN_POINTWISE_SUB) : nullptr;
    const graph_operation *const largest =
        difference ? expect(operations, difference->b, operation_kind::reduction, CUDNN_REDUCE_TENSOR_MAX)
                   : nullptr;
    const graph_operation *const scaled =
        largest ? expect(operations, difference->x, operation_kind::pointwise, CUDNN_POINTWISE_MUL) : nullptr;
    const graph_operation *const product =
        scaled ? expect(operations, scaled->x, operation_kind::matmul, 0) : nullptr;
    if (!product || sum->x.name != power->y.name || largest->x.name != scaled->y.name || !scaled->b.by_value)
        return false;
    for (const graph_operation *o : {sum, power, difference, largest, scaled, product}) {
        if (!is_inside(o->y, CUDNN_DATA_FLOAT))
            return false;
    }
    for (const graph_operation &o : operations) {
        const graph_operation *const logarithm =
            o.kind == operation_kind::pointwise && o.mode == CUDNN_POINTWISE_ADD &&
                    o.x.name == largest->y.name
                ? expect(operations, o.b, operation_kind::pointwise, CUDNN_POINTWISE_LOG)
                : nullptr;
        if (logarithm && logarithm->x.name == sum->y.name)
            attention = {product->x, product->b, last.b, last.y, scaled->b, o.y};
    }
    return attention.lse.name != 0 && is_inside(quotient->y, CUDNN_DATA_BFLOAT16) && check_shapes(attention);
}

/* --- what it computes --- */

float read_bf16(const void *p, int64_t i)
{
    const uint32_t bits = (uint32_t)((const uint16_t *)p)[i] << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t to_bf16(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return value == value ? (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16) : 0x7fff;
}

int64_t element_offset(const graph_tensor &t, int64_t b, int64_t h, int64_t row, int64_t column)
{
    return b * t.strides[0] + h * t.strides[1] + row * t.strides[2] + column * t.strides[3];
}

/* One row of out, and its lse. */
static void compute_row(const attention_run &run, int64_t b, int64_t h, int64_t row)
{
    const graph_attention &a = run.shape;
    const int64_t n = a.q.dimensions[2], size = a.q.dimensions[3];
    std::vector<float> weights((size_t)n);
    const float factor = cudnn_behaviour == DF_CUDNN_WRONG_ROW && row == n - 1 ? 1.25f : 1.0f;
    float largest = -INFINITY, sum = 0.0f;

    for (int64_t j = 0; j < n; j++) {
        const float product = tensor_core_sum((unsigned long)size, [&](unsigned long c) {
            return read_bf16(run.q, element_offset(a.q, b, h, row, (int64_t)c)) *
                   read_bf16(run.k, element_offset(a.k, b, h, (int64_t)c, j));
        });
        weights[(size_t)j] = run.scale * product;
        largest = fmaxf(largest, weights[(size_t)j]);
    }
    for (int64_t i = 0; i < n; i++) {
        float &weight = weights[(size_t)(run.backwards ? n - 1 - i : i)];
        weight = expf(weight - largest);
        sum += weight;
    }
    for (float &weight : weights) {
        const uint16_t rounded = to_bf16(weight / sum);
        weight = read_bf16(&rounded, 0);
    }
    for (int64_t c = 0; c < size; c++) {
        const float value = tensor_core_sum((unsigned long)n, [&](unsigned long i) {
            const int64_t j = run.backwards ? n - 1 - (int64_t)i : (int64_t)i;
            return weights[(size_t)j] * read_bf16(run.v, element_offset(a.v, b, h, j, c));
        });
        ((uint16_t *)run.out)[element_offset(a.out, b, h, row, c)] = to_bf16(factor * value);
    }
    if (run.lse)
        ((float *)run.lse)[element_offset(a.lse, b, h, row, 0)] =
            logf(sum) + (cudnn_behaviour == DF_CUDNN_WRONG_LSE ? 0.0f : largest);
}

void compute_attention(const attention_run &run)
{
    const int64_t *const dimensions = run.shape.q.dimensions;

    if (cudnn_behaviour == DF_CUDNN_NOTHING && run.backwards)
        return;
    for (int64_t b = 0; b < dimensions[0]; b++) {
        for (int64_t h = 0; h < dimensions[1]; h++) {
            for (int64_t row = 0; row < dimensions[2]; row++)
                compute_row(run, b, h, row);
        }
    }
    if (cudnn_behaviour == DF_CUDNN_NAN)
        ((uint16_t *)run.out)[0] = 0x7fff;
    if (cudnn_behaviour == DF_CUDNN_NONDETERMINISTIC && run.odd)
        ((uint16_t *)run.out)[0] ^= 1;
}

} // namespace emulation
