#include "cudnn_graph.h"

#include "cuda_check.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX      32
#define KNOBS_MAX      8
#define TEXT_MAX_BYTES ((int64_t)64 << 20)

void df_cudnn_graph_open(struct df_cudnn_graph *graph, const struct df_cudnn *cudnn, cudnnHandle_t handle)
{
    memset(graph, 0, sizeof *graph);
    graph->cudnn = cudnn;
    graph->handle = handle;
    df_digest_start(&graph->digest);
}

void df_cudnn_graph_close(struct df_cudnn_graph *graph)
{
    while (graph->n_made > 0)
        (void)graph->cudnn->cudnnBackendDestroyDescriptor(graph->made[--graph->n_made]);
    free(graph->made);
    memset(graph, 0, sizeof *graph);
}

/* NULL with the error set. */
static cudnnBackendDescriptor_t create(struct df_cudnn_graph *graph, cudnnBackendDescriptorType_t type)
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
    if (DF_CUDNN(graph->cudnn->cudnnBackendCreateDescriptor(type, &descriptor)) != 0)
        return NULL;
    graph->made[graph->n_made++] = descriptor;
    return descriptor;
}

static int set(struct df_cudnn_graph *graph, cudnnBackendDescriptor_t descriptor,
               cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
               const void *values)
{
    return DF_CUDNN(graph->cudnn->cudnnBackendSetAttribute(descriptor, name, type, count, values));
}

static int set_descriptor(struct df_cudnn_graph *graph, cudnnBackendDescriptor_t descriptor,
                          cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
    return set(graph, descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static int finalize(struct df_cudnn_graph *graph, cudnnBackendDescriptor_t descriptor)
{
    return DF_CUDNN(graph->cudnn->cudnnBackendFinalize(descriptor));
}

static void note(struct df_cudnn_graph *graph, const int64_t *numbers, int count)
{
    for (int i = 0; i < count; i++)
        df_digest_add_number(&graph->digest, (uint64_t)numbers[i]);
}

/* --- tensors --- */

int df_cudnn_graph_tensor(struct df_cudnn_graph *graph, int name, cudnnDataType_t type,
                          struct df_tensor_layout layout, enum df_tensor_storage storage)
{
    const int64_t id = name, alignment = storage == DF_BY_VALUE ? (int64_t)sizeof(float) : 16;
    const bool is_virtual = storage == DF_VIRTUAL, by_value = storage == DF_BY_VALUE;

    assert(name > 0 && name < DF_GRAPH_TENSORS_MAX && !graph->tensors[name]);
    note(graph, (const int64_t[]){name, type, storage}, 3);
    note(graph, layout.dimensions, 4);
    note(graph, layout.strides, 4);
    if (!graph->cudnn)
        return 0;
    cudnnBackendDescriptor_t made = create(graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    if (!made)
        return -1;
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, layout.dimensions));
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, layout.strides));
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id));
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment));
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual));
    DF_TRY(set(graph, made, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value));
    graph->tensors[name] = made;
    return finalize(graph, made);
}

/* --- operations --- */

/* One of cuDNN's kinds of operation: its descriptor refers to another, which says what exactly it does, and
 * to tensors. */
struct kind {
    cudnnBackendDescriptorType_t operation, details;
    cudnnBackendAttributeName_t details_name, compute_name, x, b, y;
    bool has_modes;
    cudnnBackendAttributeName_t mode_name;
    cudnnBackendAttributeType_t mode_type;
};

static const struct kind matmul = {
    CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR,
    CUDNN_BACKEND_MATMUL_DESCRIPTOR,
    CUDNN_ATTR_OPERATION_MATMUL_DESC,
    CUDNN_ATTR_MATMUL_COMP_TYPE,
    CUDNN_ATTR_OPERATION_MATMUL_ADESC,
    CUDNN_ATTR_OPERATION_MATMUL_BDESC,
    CUDNN_ATTR_OPERATION_MATMUL_CDESC,
    false,
    0,
    0,
};
static const struct kind pointwise = {
    CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
    CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
    CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
    CUDNN_ATTR_POINTWISE_MATH_PREC,
    CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
    CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
    CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
    true,
    CUDNN_ATTR_POINTWISE_MODE,
    CUDNN_TYPE_POINTWISE_MODE,
};
static const struct kind reduction = {
    CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR,
    CUDNN_BACKEND_REDUCTION_DESCRIPTOR,
    CUDNN_ATTR_OPERATION_REDUCTION_DESC,
    CUDNN_ATTR_REDUCTION_COMP_TYPE,
    CUDNN_ATTR_OPERATION_REDUCTION_XDESC,
    CUDNN_ATTR_OPERATION_REDUCTION_XDESC,
    CUDNN_ATTR_OPERATION_REDUCTION_YDESC,
    true,
    CUDNN_ATTR_REDUCTION_OPERATOR,
    CUDNN_TYPE_REDUCTION_OPERATOR_TYPE,
};

static int finish_operation(struct df_cudnn_graph *graph, cudnnBackendDescriptor_t operation)
{
    assert(graph->n_operations < DF_GRAPH_OPERATIONS_MAX);
    graph->operations[graph->n_operations++] = operation;
    return finalize(graph, operation);
}

/* y = x OPERATION b. mode: which of the kind's operations, where it has several. */
static int add_operation(struct df_cudnn_graph *graph, const struct kind *kind, int mode, int x, int b, int y)
{
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;

    note(graph, (const int64_t[]){kind->operation, mode, x, b, y}, 5);
    if (!graph->cudnn)
        return 0;
    cudnnBackendDescriptor_t details = create(graph, kind->details);
    if (!details)
        return -1;
    if (kind->has_modes)
        DF_TRY(set(graph, details, kind->mode_name, kind->mode_type, 1, &mode));
    DF_TRY(set(graph, details, kind->compute_name, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    DF_TRY(finalize(graph, details));
    cudnnBackendDescriptor_t made = create(graph, kind->operation);
    if (!made)
        return -1;
    DF_TRY(set_descriptor(graph, made, kind->details_name, details));
    DF_TRY(set_descriptor(graph, made, kind->x, graph->tensors[x]));
    if (b != 0)
        DF_TRY(set_descriptor(graph, made, kind->b, graph->tensors[b]));
    DF_TRY(set_descriptor(graph, made, kind->y, graph->tensors[y]));
    return finish_operation(graph, made);
}

int df_cudnn_graph_matmul(struct df_cudnn_graph *graph, int a, int b, int c)
{
    return add_operation(graph, &matmul, 0, a, b, c);
}

int df_cudnn_graph_pointwise(struct df_cudnn_graph *graph, cudnnPointwiseMode_t mode, int x, int b, int y)
{
    return add_operation(graph, &pointwise, (int)mode, x, b, y);
}

int df_cudnn_graph_reduce(struct df_cudnn_graph *graph, cudnnReduceTensorOp_t mode, int x, int y)
{
    return add_operation(graph, &reduction, (int)mode, x, 0, y);
}

int df_cudnn_graph_reshape(struct df_cudnn_graph *graph, int x, int y)
{
    note(graph, (const int64_t[]){CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR, x, y}, 3);
    if (!graph->cudnn)
        return 0;
    cudnnBackendDescriptor_t made = create(graph, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
    if (!made)
        return -1;
    DF_TRY(set_descriptor(graph, made, CUDNN_ATTR_OPERATION_RESHAPE_XDESC, graph->tensors[x]));
    DF_TRY(set_descriptor(graph, made, CUDNN_ATTR_OPERATION_RESHAPE_YDESC, graph->tensors[y]));
    return finish_operation(graph, made);
}

int df_cudnn_graph_finish(struct df_cudnn_graph *graph)
{
    if (!graph->cudnn)
        return 0;
    cudnnBackendDescriptor_t made = create(graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (!made)
        return -1;
    DF_TRY(set(graph, made, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, graph->n_operations,
               graph->operations));
    DF_TRY(set(graph, made, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &graph->handle));
    graph->finished = made;
    return finalize(graph, made);
}

/* --- engines --- */

static int find_notes(struct df_cudnn_graph *graph, cudnnBackendDescriptor_t config,
                      cudnnBackendNumericalNote_t *notes, int64_t *n_notes)
{
    cudnnBackendDescriptor_t engine = create(graph, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    int64_t found;

    if (!engine)
        return -1;
    DF_TRY(DF_CUDNN(graph->cudnn->cudnnBackendGetAttribute(
        config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &found, &engine)));
    return DF_CUDNN(graph->cudnn->cudnnBackendGetAttribute(
        engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, NOTES_MAX, n_notes, notes));
}

/* An engine of which it is not known whether it repeats its bits is not used either. */
static bool repeats_its_bits(struct df_cudnn_graph *graph, cudnnBackendDescriptor_t config)
{
    cudnnBackendNumericalNote_t notes[NOTES_MAX];
    int64_t n_notes = 0;

    if (find_notes(graph, config, notes, &n_notes) != 0)
        return false;
    for (int64_t i = 0; i < n_notes && i < NOTES_MAX; i++) {
        if (notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)
            return false;
    }
    return n_notes <= NOTES_MAX;
}

/* Returns how many configurations were found, -1 with the error set. */
static int64_t ask_heuristics(struct df_cudnn_graph *graph, df_cudnn_config *configs, int most)
{
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    cudnnBackendDescriptor_t heuristics = create(graph, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    int64_t found = 0;

    if (!heuristics)
        return -1;
    DF_TRY(set_descriptor(graph, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph->finished));
    DF_TRY(set(graph, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    DF_TRY(finalize(graph, heuristics));
    for (int i = 0; i < most; i++) {
        configs[i] = create(graph, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        if (!configs[i])
            return -1;
    }
    DF_TRY(DF_CUDNN(graph->cudnn->cudnnBackendGetAttribute(
        heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &found, configs)));
    return found < most ? found : most;
}

int df_cudnn_graph_list(struct df_cudnn_graph *graph, df_cudnn_config *configs, int most)
{
    const int64_t found = ask_heuristics(graph, configs, most);
    int usable = 0;

    for (int64_t i = 0; i < found; i++) {
        if (repeats_its_bits(graph, configs[i]))
            configs[usable++] = configs[i];
    }
    if (found >= 0 && usable == 0)
        df_error_set("cuDNN has no engine for this graph that repeats its bits");
    return usable;
}

static int make_knobs(struct df_cudnn_graph *graph, const struct df_cudnn_knob *knobs, int n_knobs,
                      cudnnBackendDescriptor_t *made)
{
    assert(n_knobs <= KNOBS_MAX);
    for (int i = 0; i < n_knobs; i++) {
        made[i] = create(graph, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
        if (!made[i])
            return -1;
        DF_TRY(
            set(graph, made[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &knobs[i].type));
        DF_TRY(set(graph, made[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &knobs[i].value));
        DF_TRY(finalize(graph, made[i]));
    }
    return 0;
}

int df_cudnn_graph_engine(struct df_cudnn_graph *graph, int64_t number, const struct df_cudnn_knob *knobs,
                          int n_knobs, df_cudnn_config *config)
{
    cudnnBackendDescriptor_t choices[KNOBS_MAX];

    note(graph, &number, 1);
    for (int i = 0; i < n_knobs; i++)
        note(graph, (const int64_t[]){knobs[i].type, knobs[i].value}, 2);
    if (!graph->cudnn)
        return 0;
    cudnnBackendDescriptor_t engine = create(graph, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t made = engine ? create(graph, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) : NULL;
    if (!made)
        return -1;
    DF_TRY(set_descriptor(graph, engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph->finished));
    DF_TRY(set(graph, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &number));
    DF_TRY(finalize(graph, engine));
    DF_TRY(make_knobs(graph, knobs, n_knobs, choices));
    DF_TRY(set_descriptor(graph, made, CUDNN_ATTR_ENGINECFG_ENGINE, engine));
    DF_TRY(
        set(graph, made, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, n_knobs, choices));
    *config = made;
    return finalize(graph, made);
}

/* --- plans --- */

static int write_down(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t plan, struct df_cudnn_text *text)
{
    int64_t size = 0, written = 0;

    DF_TRY(DF_CUDNN(cudnn->cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                                    CUDNN_TYPE_CHAR, 0, &size, NULL)));
    if (size < 1 || size > TEXT_MAX_BYTES)
        return df_error_set("cuDNN's plan is a text of %lld bytes", (long long)size);
    text->bytes = malloc((size_t)size);
    if (!text->bytes)
        return df_error_memory("cuDNN's plan", (size_t)size);
    text->size = (size_t)size;
    if (DF_CUDNN(cudnn->cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                                 CUDNN_TYPE_CHAR, size, &written, text->bytes)) == 0)
        return 0;
    free(text->bytes);
    *text = (struct df_cudnn_text){NULL, 0};
    return -1;
}

int df_cudnn_graph_plan(struct df_cudnn_graph *graph, df_cudnn_config config, struct df_cudnn_text *text)
{
    cudnnBackendDescriptor_t plan = create(graph, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);

    *text = (struct df_cudnn_text){NULL, 0};
    if (!plan)
        return -1;
    DF_TRY(set(graph, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &graph->handle));
    DF_TRY(set_descriptor(graph, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config));
    DF_TRY(finalize(graph, plan));
    return write_down(graph->cudnn, plan, text);
}
