#include "attention_graph.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORKSPACE_MAX_BYTES ((int64_t)256 << 20)
#define NOTES_MAX           32
#define OPERATIONS          10

/* The tensors; the numbers are their names in cuDNN. */
enum tensor {
    NONE,
    Q,
    K, /* transposed: [head_size, N] */
    V,
    OUT,
    SCALE,
    LSE,
    PRODUCTS,
    SCORES,
    LARGEST,
    DIFFERENCES,
    POWERS,
    SUMS,
    LOGARITHMS,
    WEIGHTS,
    N_TENSORS
};

/* Where a tensor's elements are: in memory, in a number that is given at the run, or nowhere, because the
 * operation that makes them and the one that takes them are one kernel. */
enum storage { STORED, BY_VALUE, VIRTUAL };

struct builder {
    struct df_attention_graph *graph;
    const struct df_cudnn *cudnn;
    cudnnBackendDescriptor_t tensors[N_TENSORS];
    cudnnBackendDescriptor_t operations[OPERATIONS];
    int n_operations;
};

/* NULL with the error set. */
static cudnnBackendDescriptor_t create(struct df_attention_graph *graph, const struct df_cudnn *cudnn,
                                       cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t descriptor;

    if (graph->n_made == graph->capacity) {
        const int capacity = graph->capacity ? 2 * graph->capacity : 64;
        cudnnBackendDescriptor_t *more = realloc(graph->made, (size_t)capacity * sizeof *more);
        if (!more) {
            df_error_memory("cuDNN's descriptors", (size_t)capacity * sizeof *more);
            return NULL;
        }
        graph->made = more;
        graph->capacity = capacity;
    }
    if (DF_CUDNN(cudnn->cudnnBackendCreateDescriptor(type, &descriptor)) != 0)
        return NULL;
    graph->made[graph->n_made++] = descriptor;
    return descriptor;
}

static int set(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t descriptor,
               cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
               const void *values)
{
    return DF_CUDNN(cudnn->cudnnBackendSetAttribute(descriptor, name, type, count, values));
}

static int set_descriptor(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t descriptor,
                          cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
    return set(cudnn, descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static int finalize(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t descriptor)
{
    return DF_CUDNN(cudnn->cudnnBackendFinalize(descriptor));
}

/* --- tensors --- */

struct layout {
    int64_t dimensions[4], strides[4];
};

static int add_tensor(struct builder *builder, enum tensor tensor, cudnnDataType_t type, struct layout layout,
                      enum storage storage)
{
    const struct df_cudnn *cudnn = builder->cudnn;
    const int64_t name = tensor, alignment = storage == BY_VALUE ? (int64_t)sizeof(float) : 16;
    const bool is_virtual = storage == VIRTUAL, by_value = storage == BY_VALUE;
    cudnnBackendDescriptor_t made = create(builder->graph, cudnn, CUDNN_BACKEND_TENSOR_DESCRIPTOR);

    if (!made)
        return -1;
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, layout.dimensions));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, layout.strides));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &name));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value));
    builder->tensors[tensor] = made;
    return finalize(cudnn, made);
}

static int add_tensors(struct builder *builder, struct df_attention_shape shape, bool with_lse)
{
    static const enum tensor squares[] = {PRODUCTS, SCORES, DIFFERENCES, POWERS};
    static const enum tensor rows[] = {LARGEST, SUMS, LOGARITHMS};
    const int64_t b = shape.batch, n = shape.tokens, h = shape.heads, size = shape.head_size, dim = h * size;
    const struct layout part = {{b, h, n, size}, {3 * n * dim, size, 3 * dim, 1}};
    const struct layout transposed = {{b, h, size, n}, {3 * n * dim, size, 1, 3 * dim}};
    const struct layout out = {{b, h, n, size}, {n * dim, size, dim, 1}};
    const struct layout square = {{b, h, n, n}, {h * n * n, n * n, n, 1}};
    const struct layout row = {{b, h, n, 1}, {h * n, n, 1, 1}};
    const struct layout number = {{1, 1, 1, 1}, {1, 1, 1, 1}};

    DF_TRY(add_tensor(builder, Q, CUDNN_DATA_BFLOAT16, part, STORED));
    DF_TRY(add_tensor(builder, K, CUDNN_DATA_BFLOAT16, transposed, STORED));
    DF_TRY(add_tensor(builder, V, CUDNN_DATA_BFLOAT16, part, STORED));
    DF_TRY(add_tensor(builder, OUT, CUDNN_DATA_BFLOAT16, out, STORED));
    DF_TRY(add_tensor(builder, SCALE, CUDNN_DATA_FLOAT, number, BY_VALUE));
    DF_TRY(add_tensor(builder, LSE, CUDNN_DATA_FLOAT, row, with_lse ? STORED : VIRTUAL));
    DF_TRY(
        add_tensor(builder, WEIGHTS, CUDNN_DATA_BFLOAT16, square, VIRTUAL)); /* as v, which it multiplies */
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++)
        DF_TRY(add_tensor(builder, squares[i], CUDNN_DATA_FLOAT, square, VIRTUAL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        DF_TRY(add_tensor(builder, rows[i], CUDNN_DATA_FLOAT, row, VIRTUAL));
    return 0;
}

/* --- operations --- */

/* One of cuDNN's kinds of operation: its descriptor refers to another, which says what exactly it does, and
 * to tensors. */
struct kind {
    cudnnBackendDescriptorType_t operation, details;
    cudnnBackendAttributeName_t details_name, compute_name, x, b, y;
};

static const struct kind matmul = {
    CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, CUDNN_BACKEND_MATMUL_DESCRIPTOR,
    CUDNN_ATTR_OPERATION_MATMUL_DESC,          CUDNN_ATTR_MATMUL_COMP_TYPE,
    CUDNN_ATTR_OPERATION_MATMUL_ADESC,         CUDNN_ATTR_OPERATION_MATMUL_BDESC,
    CUDNN_ATTR_OPERATION_MATMUL_CDESC,
};
static const struct kind pointwise = {
    CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
    CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MATH_PREC,
    CUDNN_ATTR_OPERATION_POINTWISE_XDESC,         CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
    CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
};
static const struct kind reduction = {
    CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, CUDNN_BACKEND_REDUCTION_DESCRIPTOR,
    CUDNN_ATTR_OPERATION_REDUCTION_DESC,          CUDNN_ATTR_REDUCTION_COMP_TYPE,
    CUDNN_ATTR_OPERATION_REDUCTION_XDESC,         CUDNN_ATTR_OPERATION_REDUCTION_XDESC,
    CUDNN_ATTR_OPERATION_REDUCTION_YDESC,
};

/* y = x OPERATION b; b NONE for those that take one tensor. `details` lacks only the type to compute in. */
static int add_operation(struct builder *builder, const struct kind *kind, cudnnBackendDescriptor_t details,
                         enum tensor x, enum tensor b, enum tensor y)
{
    const struct df_cudnn *cudnn = builder->cudnn;
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;

    assert(builder->n_operations < OPERATIONS);
    DF_TRY(set(cudnn, details, kind->compute_name, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    DF_TRY(finalize(cudnn, details));
    cudnnBackendDescriptor_t made = create(builder->graph, cudnn, kind->operation);
    if (!made)
        return -1;
    DF_TRY(set_descriptor(cudnn, made, kind->details_name, details));
    DF_TRY(set_descriptor(cudnn, made, kind->x, builder->tensors[x]));
    if (b != NONE)
        DF_TRY(set_descriptor(cudnn, made, kind->b, builder->tensors[b]));
    DF_TRY(set_descriptor(cudnn, made, kind->y, builder->tensors[y]));
    builder->operations[builder->n_operations++] = made;
    return finalize(cudnn, made);
}

static int add_matmul(struct builder *builder, enum tensor a, enum tensor b, enum tensor c)
{
    cudnnBackendDescriptor_t details = create(builder->graph, builder->cudnn, matmul.details);

    return details ? add_operation(builder, &matmul, details, a, b, c) : -1;
}

static int add_pointwise(struct builder *builder, cudnnPointwiseMode_t mode, enum tensor x, enum tensor b,
                         enum tensor y)
{
    cudnnBackendDescriptor_t details = create(builder->graph, builder->cudnn, pointwise.details);

    if (!details)
        return -1;
    DF_TRY(set(builder->cudnn, details, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
    return add_operation(builder, &pointwise, details, x, b, y);
}

static int add_reduction(struct builder *builder, cudnnReduceTensorOp_t mode, enum tensor x, enum tensor y)
{
    cudnnBackendDescriptor_t details = create(builder->graph, builder->cudnn, reduction.details);

    if (!details)
        return -1;
    DF_TRY(set(builder->cudnn, details, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1,
               &mode));
    return add_operation(builder, &reduction, details, x, NONE, y);
}

static int add_operations(struct builder *builder)
{
    DF_TRY(add_matmul(builder, Q, K, PRODUCTS));
    DF_TRY(add_pointwise(builder, CUDNN_POINTWISE_MUL, PRODUCTS, SCALE, SCORES));
    DF_TRY(add_reduction(builder, CUDNN_REDUCE_TENSOR_MAX, SCORES, LARGEST));
    DF_TRY(add_pointwise(builder, CUDNN_POINTWISE_SUB, SCORES, LARGEST, DIFFERENCES));
    DF_TRY(add_pointwise(builder, CUDNN_POINTWISE_EXP, DIFFERENCES, NONE, POWERS));
    DF_TRY(add_reduction(builder, CUDNN_REDUCE_TENSOR_ADD, POWERS, SUMS));
    DF_TRY(add_pointwise(builder, CUDNN_POINTWISE_LOG, SUMS, NONE, LOGARITHMS));
    DF_TRY(add_pointwise(builder, CUDNN_POINTWISE_ADD, LARGEST, LOGARITHMS, LSE));
    DF_TRY(add_pointwise(builder, CUDNN_POINTWISE_DIV, POWERS, SUMS, WEIGHTS));
    return add_matmul(builder, WEIGHTS, V, OUT);
}

/* --- engines --- */

static int find_notes(struct df_attention_graph *graph, const struct df_cudnn *cudnn,
                      cudnnBackendDescriptor_t config, cudnnBackendNumericalNote_t *notes, int64_t *n_notes)
{
    cudnnBackendDescriptor_t engine = create(graph, cudnn, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    int64_t found;

    if (!engine)
        return -1;
    DF_TRY(DF_CUDNN(cudnn->cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &found, &engine)));
    return DF_CUDNN(cudnn->cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                    CUDNN_TYPE_NUMERICAL_NOTE, NOTES_MAX, n_notes, notes));
}

/* An engine of which it is not known whether it repeats its bits is not used either. */
static bool repeats_its_bits(struct df_attention_graph *graph, const struct df_cudnn *cudnn,
                             cudnnBackendDescriptor_t config)
{
    cudnnBackendNumericalNote_t notes[NOTES_MAX];
    int64_t n_notes = 0;

    if (find_notes(graph, cudnn, config, notes, &n_notes) != 0)
        return false;
    for (int64_t i = 0; i < n_notes && i < NOTES_MAX; i++) {
        if (notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)
            return false;
    }
    return n_notes <= NOTES_MAX;
}

static int list_engines(struct df_attention_graph *graph, const struct df_cudnn *cudnn,
                        cudnnBackendDescriptor_t operation_graph)
{
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    cudnnBackendDescriptor_t configs[DF_ATTENTION_ENGINES_MAX];
    cudnnBackendDescriptor_t heuristics = create(graph, cudnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    int64_t found = 0;

    if (!heuristics)
        return -1;
    DF_TRY(set_descriptor(cudnn, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, operation_graph));
    DF_TRY(set(cudnn, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    DF_TRY(finalize(cudnn, heuristics));
    for (int i = 0; i < DF_ATTENTION_ENGINES_MAX; i++) {
        configs[i] = create(graph, cudnn, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        if (!configs[i])
            return -1;
    }
    DF_TRY(DF_CUDNN(cudnn->cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, DF_ATTENTION_ENGINES_MAX,
                                                    &found, configs)));
    for (int64_t i = 0; i < found && i < DF_ATTENTION_ENGINES_MAX; i++) {
        if (repeats_its_bits(graph, cudnn, configs[i]))
            graph->engines[graph->n_engines++].config = configs[i];
    }
    return graph->n_engines > 0 ? 0 : df_error_set("cuDNN has no engine for attention that repeats its bits");
}

int df_attention_graph_open(struct df_attention_graph *graph, struct df_cuda_context *context,
                            struct df_attention_shape shape, bool with_lse)
{
    const struct df_cudnn *cudnn = &context->cudnn;
    struct builder builder = {.graph = graph, .cudnn = cudnn};

    memset(graph, 0, sizeof *graph);
    graph->scale = 1.0f / sqrtf((float)shape.head_size);
    DF_TRY(add_tensors(&builder, shape, with_lse));
    DF_TRY(add_operations(&builder));
    cudnnBackendDescriptor_t made = create(graph, cudnn, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (!made)
        return -1;
    DF_TRY(set(cudnn, made, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
               builder.n_operations, builder.operations));
    DF_TRY(set(cudnn, made, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &context->dnn));
    DF_TRY(finalize(cudnn, made));
    return list_engines(graph, cudnn, made);
}

void df_attention_graph_close(struct df_attention_graph *graph, struct df_cuda_context *context)
{
    while (graph->n_made > 0)
        (void)context->cudnn.cudnnBackendDestroyDescriptor(graph->made[--graph->n_made]);
    free(graph->made);
    memset(graph, 0, sizeof *graph);
}

int df_attention_graph_prepare(struct df_attention_graph *graph, struct df_cuda_context *context, int engine)
{
    const struct df_cudnn *cudnn = &context->cudnn;
    struct df_attention_engine *made = &graph->engines[engine];
    cudnnBackendDescriptor_t plan = create(graph, cudnn, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    int64_t found, workspace = 0;

    if (!plan)
        return -1;
    DF_TRY(set(cudnn, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &context->dnn));
    DF_TRY(set_descriptor(cudnn, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, made->config));
    DF_TRY(finalize(cudnn, plan));
    DF_TRY(DF_CUDNN(cudnn->cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                                    CUDNN_TYPE_INT64, 1, &found, &workspace)));
    if (workspace < 0 || workspace > WORKSPACE_MAX_BYTES)
        return df_error_set("cuDNN's attention wants a workspace of %lld bytes", (long long)workspace);
    made->plan = plan;
    made->workspace = (size_t)workspace;
    return 0;
}

static int fill_pack(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t pack, const int64_t *names,
                     void *const *pointers, int count, void *workspace)
{
    DF_TRY(set(cudnn, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, names));
    DF_TRY(set(cudnn, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, pointers));
    DF_TRY(set(cudnn, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
    return finalize(cudnn, pack);
}

int df_attention_graph_run(struct df_attention_graph *graph, struct df_cuda_context *context, int engine,
                           struct df_attention_shape shape, const void *qkv, void *out, float *lse,
                           void *workspace)
{
    static const int64_t names[] = {Q, K, V, OUT, SCALE, LSE};
    const struct df_cudnn *cudnn = &context->cudnn;
    const size_t part = (size_t)(shape.heads * shape.head_size) * sizeof(uint16_t);
    char *q = (char *)(uintptr_t)qkv; /* cuDNN knows no pointers to what it only reads */
    void *const pointers[] = {q, q + part, q + 2 * part, out, &graph->scale, lse};
    cudnnBackendDescriptor_t pack;

    assert(graph->engines[engine].plan);
    DF_TRY(DF_CUDNN(cudnn->cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack)));
    int status = fill_pack(cudnn, pack, names, pointers, lse ? 6 : 5, workspace);
    if (status == 0)
        status = DF_CUDNN(cudnn->cudnnBackendExecute(context->dnn, graph->engines[engine].plan, pack));
    (void)cudnn->cudnnBackendDestroyDescriptor(pack);
    return status;
}
