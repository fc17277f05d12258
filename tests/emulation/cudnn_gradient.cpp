/* The gradient of attention among cuDNN's operations: its form, and what it computes. */
#include "cudnn_attention.h"
#include "cudnn_state.h"

#include <cmath>
#include <cstring>

namespace emulation
{

/* --- its form --- */

/* dscores = scale (dout v^T - delta) * weights */
static bool match_dscores(const std::vector<graph_operation> &operations, const graph_operation &dscores,
                          const graph_tensor &weights, graph_gradient &g)
{
    const graph_operation *const weighted =
        expect(operations, dscores.x, operation_kind::pointwise, CUDNN_POINTWISE_MUL);
    const graph_operation *const centered =
        weighted ? expect(operations, weighted->x, operation_kind::pointwise, CUDNN_POINTWISE_SUB) : nullptr;
    const graph_operation *const dweights =
        centered ? expect(operations, centered->x, operation_kind::matmul, 0) : nullptr;
    const graph_operation *const delta =
        dweights ? expect(operations, centered->b, operation_kind::pointwise, CUDNN_POINTWISE_MUL) : nullptr;
    const graph_operation *const sums =
        delta ? expect(operations, delta->x, operation_kind::reduction, CUDNN_REDUCE_TENSOR_ADD) : nullptr;
    const graph_operation *const products =
        sums ? expect(operations, sums->x, operation_kind::pointwise, CUDNN_POINTWISE_MUL) : nullptr;
    if (!products || weighted->b.name != weights.name || dscores.b.name != g.scale.name ||
        dweights->x.name != g.dout.name || products->x.name != g.dout.name)
        return false;
    for (const graph_operation *o : {weighted, centered, dweights, sums, products}) {
        if (!is_inside(o->y, CUDNN_DATA_FLOAT))
            return false;
    }
    g.v = dweights->b;
    g.out = products->b;
    g.one = delta->b;
    g.delta = delta->y;
    return g.one.by_value && !g.delta.is_virtual;
}

/* dv = weights^T dout with weights = exp(scale q k^T - lse): the tensor of the weights; nullptr if it is not
 * so. */
static const graph_tensor *match_dv(const std::vector<graph_operation> &operations, const graph_operation &dv,
                                    graph_gradient &g)
{
    const graph_operation *const turned = expect(operations, dv.x, operation_kind::reshape, 0);
    const graph_operation *const weights =
        turned ? expect(operations, turned->x, operation_kind::pointwise, CUDNN_POINTWISE_EXP) : nullptr;
    const graph_operation *const difference =
        weights ? expect(operations, weights->x, operation_kind::pointwise, CUDNN_POINTWISE_SUB) : nullptr;
    const graph_operation *const scores =
        difference ? expect(operations, difference->x, operation_kind::pointwise, CUDNN_POINTWISE_MUL)
                   : nullptr;
    const graph_operation *const product =
        scores ? expect(operations, scores->x, operation_kind::matmul, 0) : nullptr;
    if (!product || !scores->b.by_value || !is_inside(turned->y, CUDNN_DATA_BFLOAT16))
        return nullptr;
    for (const graph_operation *o : {weights, difference, scores, product}) {
        if (!is_inside(o->y, CUDNN_DATA_FLOAT))
            return nullptr;
    }
    g.q = product->x;
    g.k = product->b;
    g.scale = scores->b;
    g.lse = difference->b;
    g.dout = dv.b;
    g.dv = dv.y;
    return &weights->y;
}

/* dk = dscores^T q, dq = dscores k */
static bool match_products(const std::vector<graph_operation> &operations, const graph_operation &dscores,
                           graph_gradient &g)
{
    for (const graph_operation &o : operations) {
        if (o.kind != operation_kind::matmul)
            continue;
        const graph_operation *const turned = expect(operations, o.x, operation_kind::reshape, 0);
        const graph_operation *const keys = expect(operations, o.b, operation_kind::reshape, 0);
        if (turned && turned->x.name == dscores.y.name && o.b.name == g.q.name &&
            is_inside(turned->y, CUDNN_DATA_BFLOAT16))
            g.dk = o.y;
        if (keys && keys->x.name == g.k.name && o.x.name == dscores.y.name &&
            is_inside(keys->y, CUDNN_DATA_BFLOAT16))
            g.dq = o.y;
    }
    for (const graph_operation &o : operations) {
        if (o.kind == operation_kind::pointwise && o.mode == CUDNN_POINTWISE_IDENTITY &&
            o.x.name == g.dq.name && g.dq_sums.name == 0) {
            g.dq_sums = g.dq;
            g.dq = o.y;
        }
    }
    return g.dk.name != 0 && g.dq.name != 0;
}

static bool check_shapes(const graph_gradient &g)
{
    const int64_t b = g.q.dimensions[0], h = g.q.dimensions[1], n = g.q.dimensions[2],
                  size = g.q.dimensions[3];

    for (const graph_tensor *t : {&g.q, &g.out, &g.dout, &g.dq, &g.dk, &g.dv}) {
        if (!has_shape(*t, CUDNN_DATA_BFLOAT16, b, h, n, size) || t->is_virtual || t->strides[3] != 1 ||
            t->alignment < 16)
            return false;
    }
    for (const graph_tensor *t : {&g.k, &g.v}) {
        if (!has_shape(*t, CUDNN_DATA_BFLOAT16, b, h, size, n) || t->is_virtual || t->strides[2] != 1)
            return false;
    }
    return has_shape(g.lse, CUDNN_DATA_FLOAT, b, h, n, 1) && !g.lse.is_virtual &&
           has_shape(g.delta, CUDNN_DATA_FLOAT, b, h, n, 1) &&
           (g.dq_sums.name == 0 || has_shape(g.dq_sums, CUDNN_DATA_FLOAT, b, h, n, size)) && size % 8 == 0 &&
           size <= 128;
}

bool is_gradient(const std::vector<graph_operation> &operations, graph_gradient &gradient)
{
    const graph_tensor *weights = nullptr;

    gradient = {};
    for (const graph_operation &o : operations) {
        if (o.kind == operation_kind::matmul && !weights)
            weights = match_dv(operations, o, gradient);
    }
    if (!weights)
        return false;
    for (const graph_operation &o : operations) {
        if (o.kind == operation_kind::pointwise && o.mode == CUDNN_POINTWISE_MUL &&
            match_dscores(operations, o, *weights, gradient))
            return is_inside(o.y, CUDNN_DATA_FLOAT) && match_products(operations, o, gradient) &&
                   operations.size() == (gradient.dq_sums.name ? 18u : 17u) && check_shapes(gradient);
    }
    return false;
}

/* --- what it computes --- */

/* A head: matrices in float32, weights and dscores rounded as tensor cores read them. */
struct head {
    const gradient_run &run;
    int64_t b, h, n, size;
    std::vector<float> weights, dscores; /* [n, n] */
};

static float rounded(float value)
{
    const uint16_t bits = to_bf16(value);
    return read_bf16(&bits, 0);
}

static float product(const void *x, const graph_tensor &xt, int64_t row, const void *y,
                     const graph_tensor &yt, int64_t column, bool transposed, const head &head)
{
    float sum = 0.0f;

    for (int64_t c = 0; c < head.size; c++)
        sum += read_bf16(x, element_offset(xt, head.b, head.h, row, c)) *
               read_bf16(y, transposed ? element_offset(yt, head.b, head.h, c, column)
                                       : element_offset(yt, head.b, head.h, column, c));
    return sum;
}

static void compute_scores(head &head)
{
    const gradient_run &run = head.run;
    const graph_gradient &g = run.shape;

    for (int64_t i = 0; i < head.n; i++) {
        const float delta = product(run.dout, g.dout, i, run.out, g.out, i, false, head),
                    lse = ((const float *)run.lse)[element_offset(g.lse, head.b, head.h, i, 0)];
        ((float *)run.delta)[element_offset(g.delta, head.b, head.h, i, 0)] = delta;
        for (int64_t j = 0; j < head.n; j++) {
            const float weight = expf(run.scale * product(run.q, g.q, i, run.k, g.k, j, true, head) - lse);
            const float dweight = product(run.dout, g.dout, i, run.v, g.v, j, true, head);
            head.weights[(size_t)(i * head.n + j)] = rounded(weight);
            head.dscores[(size_t)(i * head.n + j)] = rounded(run.scale * weight * (dweight - delta));
        }
    }
}

/* One row of the sum over `others` of matrix [n, n] times x; of its transpose where by_column. */
static void multiply(const head &head, const std::vector<float> &matrix, bool by_column, int64_t row,
                     const void *x, const graph_tensor &xt, bool transposed, void *y, const graph_tensor &yt,
                     float factor)
{
    for (int64_t c = 0; c < head.size; c++) {
        float sum = 0.0f;
        for (int64_t k = 0; k < head.n; k++) {
            const int64_t i = head.run.backwards ? head.n - 1 - k : k;
            sum += matrix[(size_t)(by_column ? i * head.n + row : row * head.n + i)] *
                   read_bf16(x, transposed ? element_offset(xt, head.b, head.h, c, i)
                                           : element_offset(xt, head.b, head.h, i, c));
        }
        ((uint16_t *)y)[element_offset(yt, head.b, head.h, row, c)] = to_bf16(factor * sum);
    }
}

static void compute_head(const gradient_run &run, int64_t b, int64_t h)
{
    const graph_gradient &g = run.shape;
    const int64_t n = g.q.dimensions[2], size = g.q.dimensions[3];
    head head = {
        run, b, h, n, size, std::vector<float>((size_t)(n * n)), std::vector<float>((size_t)(n * n))};

    compute_scores(head);
    for (int64_t row = 0; row < n; row++) {
        const float factor = cudnn_behaviour == DF_CUDNN_WRONG_ROW && row == n - 1 ? 1.25f : 1.0f;
        multiply(head, head.weights, true, row, run.dout, g.dout, false, run.dv, g.dv, 1.0f);
        multiply(head, head.dscores, true, row, run.q, g.q, false, run.dk, g.dk, factor);
        multiply(head, head.dscores, false, row, run.k, g.k, true, run.dq, g.dq, 1.0f);
    }
}

void compute_gradient(const gradient_run &run)
{
    const int64_t *const dimensions = run.shape.q.dimensions;

    if (cudnn_behaviour == DF_CUDNN_NOTHING && run.backwards)
        return;
    if (run.dq_sums)
        memset(run.dq_sums, 0, tensor_bytes(run.shape.dq_sums));
    for (int64_t b = 0; b < dimensions[0]; b++) {
        for (int64_t h = 0; h < dimensions[1]; h++)
            compute_head(run, b, h);
    }
    if (cudnn_behaviour == DF_CUDNN_NAN)
        ((uint16_t *)run.dk)[0] = 0x7fff;
    if (cudnn_behaviour == DF_CUDNN_NONDETERMINISTIC && run.odd)
        ((uint16_t *)run.dq)[0] ^= 1;
}

} // namespace emulation
