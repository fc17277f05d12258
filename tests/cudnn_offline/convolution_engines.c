#include "convolution_engines.h"

#include "kernels/kernels.h"

#include "src/backend/cuda/cuda_backend.h"

#include "dinoft/error.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

#define DESCRIPTORS_MAX 512
#define ENGINES_MAX     128
#define NOTES_MAX       32

/* What the backend is asked for now. */
static struct {
    const struct df_cudnn *cudnn;
    struct convolution_engines *engines;
    int status;
} asking;

/* --- our own kernels, which the backend is left to launch --- */

cudaError_t df_launch_conv_forward(cudaStream_t stream, struct df_conv_shape shape, const float *x,
                                   const float *weight, const float *bias, float *y)
{
    (void)stream, (void)shape, (void)x, (void)weight, (void)bias, (void)y;
    return cudaSuccess;
}

cudaError_t df_launch_conv_backward_data(cudaStream_t stream, struct df_conv_shape shape, const float *dy,
                                         const float *weight, float *dx)
{
    (void)stream, (void)shape, (void)dy, (void)weight, (void)dx;
    return cudaSuccess;
}

size_t df_launch_conv_backward_weight_scratch(struct df_conv_shape shape)
{
    (void)shape;
    return 1;
}

cudaError_t df_launch_conv_backward_weight(cudaStream_t stream, struct df_conv_shape shape, const float *x,
                                           const float *dy, float *dweight, void *scratch)
{
    (void)stream, (void)shape, (void)x, (void)dy, (void)dweight, (void)scratch;
    return cudaSuccess;
}

/* --- a graph of one operation --- */

struct graph {
    const struct df_cudnn *cudnn; /* which sets the description for a handle */
    cudnnBackendDescriptor_t made[DESCRIPTORS_MAX];
    int n_made;
};

static cudnnBackendDescriptor_t create(struct graph *graph, cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t made = NULL;

    assert(graph->n_made < DESCRIPTORS_MAX);
    if (DF_CUDNN(graph->cudnn->cudnnBackendCreateDescriptor(type, &made)) != 0)
        return NULL;
    graph->made[graph->n_made++] = made;
    return made;
}

static int set(struct graph *graph, cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
               cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    return DF_CUDNN(graph->cudnn->cudnnBackendSetAttribute(descriptor, name, type, count, values));
}

static int set_descriptor(struct graph *graph, cudnnBackendDescriptor_t descriptor,
                          cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
    return set(graph, descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static int get(struct graph *graph, cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
               cudnnBackendAttributeType_t type, int64_t room, int64_t *count, void *values)
{
    return DF_CUDNN(graph->cudnn->cudnnBackendGetAttribute(descriptor, name, type, room, count, values));
}

static int finalize(struct graph *graph, cudnnBackendDescriptor_t descriptor)
{
    return DF_CUDNN(graph->cudnn->cudnnBackendFinalize(descriptor));
}

/* --- the backend's descriptors as the graph's --- */

struct tensor {
    cudnnDataType_t type;
    int dimensions[4], strides[4];
};

/* A function of the library's that the backend does not use. */
static void find_function(const char *name, void *function)
{
    void *const address = dlsym(cudnn_library()->handle, name);
    memcpy(function, &address, sizeof address);
}

static int read_tensor(const cudnnTensorDescriptor_t descriptor, struct tensor *tensor)
{
    __typeof__(&cudnnGetTensorNdDescriptor) read;
    int rank;

    find_function("cudnnGetTensorNdDescriptor", &read);
    return DF_CUDNN(read(descriptor, 4, &tensor->type, &rank, tensor->dimensions, tensor->strides));
}

static int read_filter(const cudnnFilterDescriptor_t descriptor, struct tensor *tensor)
{
    __typeof__(&cudnnGetFilterNdDescriptor) read;
    cudnnTensorFormat_t format;
    int rank, *const size = tensor->dimensions;

    find_function("cudnnGetFilterNdDescriptor", &read);
    DF_TRY(DF_CUDNN(read(descriptor, 4, &tensor->type, &format, &rank, size)));
    if (format != CUDNN_TENSOR_NHWC)
        return df_error_set("the weights are not NHWC");
    const int strides[4] = {size[1] * size[2] * size[3], 1, size[3] * size[1], size[1]};
    memcpy(tensor->strides, strides, sizeof strides);
    return 0;
}

static cudnnBackendDescriptor_t add_tensor(struct graph *graph, int64_t name, const struct tensor *tensor)
{
    cudnnBackendDescriptor_t made = create(graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    int64_t dimensions[4], strides[4], alignment = 16;

    for (int i = 0; i < 4; i++) {
        dimensions[i] = tensor->dimensions[i];
        strides[i] = tensor->strides[i];
    }
    const bool done =
        made && set(graph, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &tensor->type) == 0 &&
        set(graph, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dimensions) == 0 &&
        set(graph, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides) == 0 &&
        set(graph, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &name) == 0 &&
        set(graph, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment) == 0 &&
        finalize(graph, made) == 0;
    return done ? made : NULL;
}

static cudnnBackendDescriptor_t add_convolution(struct graph *graph, cudnnConvolutionDescriptor_t descriptor)
{
    __typeof__(&cudnnGetConvolutionNdDescriptor) read;
    cudnnBackendDescriptor_t made = create(graph, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    int rank, padding[2], strides[2], dilations[2];
    const int64_t two = 2;
    cudnnConvolutionMode_t mode;
    cudnnDataType_t type;

    find_function("cudnnGetConvolutionNdDescriptor", &read);
    if (!made || DF_CUDNN(read(descriptor, 2, &rank, padding, strides, dilations, &mode, &type)) != 0)
        return NULL;
    const int64_t pads[2] = {padding[0], padding[1]}, steps[2] = {strides[0], strides[1]},
                  spread[2] = {dilations[0], dilations[1]};
    const bool done =
        set(graph, made, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &two) == 0 &&
        set(graph, made, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type) == 0 &&
        set(graph, made, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode) == 0 &&
        set(graph, made, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pads) == 0 &&
        set(graph, made, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, pads) == 0 &&
        set(graph, made, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, steps) == 0 &&
        set(graph, made, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, spread) == 0 &&
        finalize(graph, made) == 0;
    return done ? made : NULL;
}

/* The names of one pass's attributes. */
struct pass_names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, x, weight, y, alpha, beta;
};

static const struct pass_names pass_names[] = {
    [FORWARD] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    [BACKWARD_DATA] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    [BACKWARD_WEIGHT] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

static cudnnBackendDescriptor_t make_operation_graph(struct graph *graph, enum convolution_pass pass,
                                                     cudnnTensorDescriptor_t x_layout,
                                                     cudnnFilterDescriptor_t weight_layout,
                                                     cudnnConvolutionDescriptor_t convolution_layout,
                                                     cudnnTensorDescriptor_t y_layout)
{
    const struct pass_names *names = &pass_names[pass];
    struct tensor x, weight, y;
    const float one = 1.0f, zero = 0.0f;

    if (read_tensor(x_layout, &x) != 0 || read_filter(weight_layout, &weight) != 0 ||
        read_tensor(y_layout, &y) != 0)
        return NULL;
    cudnnBackendDescriptor_t convolution = add_convolution(graph, convolution_layout),
                             x_made = add_tensor(graph, 'x', &x), w_made = add_tensor(graph, 'w', &weight),
                             y_made = add_tensor(graph, 'y', &y), operation = create(graph, names->operation),
                             made = create(graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    const bool done = convolution && x_made && w_made && y_made && operation && made &&
                      set_descriptor(graph, operation, names->convolution, convolution) == 0 &&
                      set_descriptor(graph, operation, names->x, x_made) == 0 &&
                      set_descriptor(graph, operation, names->weight, w_made) == 0 &&
                      set_descriptor(graph, operation, names->y, y_made) == 0 &&
                      set(graph, operation, names->alpha, CUDNN_TYPE_FLOAT, 1, &one) == 0 &&
                      set(graph, operation, names->beta, CUDNN_TYPE_FLOAT, 1, &zero) == 0 &&
                      finalize(graph, operation) == 0 &&
                      set_descriptor(graph, made, CUDNN_ATTR_OPERATIONGRAPH_OPS, operation) == 0 &&
                      finalize(graph, made) == 0;
    return done ? made : NULL;
}

/* --- engines --- */

/* By conv.c's rules: deterministic, and without tensor cores. */
static bool is_usable(struct graph *graph, cudnnBackendDescriptor_t config)
{
    cudnnBackendNumericalNote_t notes[NOTES_MAX];
    cudnnBackendDescriptor_t engine = create(graph, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    int64_t count = 0;

    if (!engine ||
        get(graph, config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &engine) !=
            0 ||
        get(graph, engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, NOTES_MAX, &count,
            notes) != 0)
        return false;
    for (int64_t i = 0; i < count && i < NOTES_MAX; i++) {
        if (notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC || notes[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE)
            return false;
    }
    return count <= NOTES_MAX;
}

static int build(struct graph *graph, cudnnBackendDescriptor_t config, struct convolution_engines *engines)
{
    cudnnBackendDescriptor_t plan = create(graph, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    const double start = seconds_now();
    int64_t count;

    if (!plan)
        return -1;
    DF_TRY(set(graph, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 0, NULL));
    DF_TRY(set_descriptor(graph, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config));
    DF_TRY(finalize(graph, plan));
    engines->seconds = seconds_now() - start;
    return get(graph, plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count,
               &engines->workspace);
}

static int list_engines(struct graph *graph, cudnnBackendDescriptor_t operation_graph)
{
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    cudnnBackendDescriptor_t heuristics = create(graph, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR),
                             configs[ENGINES_MAX];
    struct convolution_engines *const engines = asking.engines;
    int64_t count = 0;

    if (!heuristics)
        return -1;
    DF_TRY(set_descriptor(graph, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, operation_graph));
    DF_TRY(set(graph, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    DF_TRY(finalize(graph, heuristics));
    for (int i = 0; i < ENGINES_MAX; i++) {
        configs[i] = create(graph, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        if (!configs[i])
            return -1;
    }
    DF_TRY(get(graph, heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, ENGINES_MAX,
               &count, configs));
    for (int i = 0; i < count && i < ENGINES_MAX; i++) {
        engines->listed++;
        if (!is_usable(graph, configs[i]))
            continue;
        engines->usable++;
        if (!engines->built)
            engines->built = build(graph, configs[i], engines) == 0;
    }
    return 0;
}

static void find_engines(enum convolution_pass pass, cudnnTensorDescriptor_t x,
                         cudnnFilterDescriptor_t weight, cudnnConvolutionDescriptor_t convolution,
                         cudnnTensorDescriptor_t y)
{
    struct graph graph = {.cudnn = asking.cudnn};
    cudnnBackendDescriptor_t operations = make_operation_graph(&graph, pass, x, weight, convolution, y);

    asking.engines->asked = true;
    asking.status = operations ? list_engines(&graph, operations) : -1;
    while (graph.n_made > 0)
        (void)graph.cudnn->cudnnBackendDestroyDescriptor(graph.made[--graph.n_made]);
}

/* --- in place of cuDNN's older functions: they name no algorithm, so that the backend takes its own kernel
 * --- */

static cudnnStatus_t forward_algorithms(cudnnHandle_t handle, const cudnnTensorDescriptor_t x,
                                        const cudnnFilterDescriptor_t weight,
                                        const cudnnConvolutionDescriptor_t convolution,
                                        const cudnnTensorDescriptor_t y, const int room, int *count,
                                        cudnnConvolutionFwdAlgoPerf_t *algorithms)
{
    (void)handle, (void)room, (void)algorithms;
    find_engines(FORWARD, x, weight, convolution, y);
    *count = 0;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t data_algorithms(cudnnHandle_t handle, const cudnnFilterDescriptor_t weight,
                                     const cudnnTensorDescriptor_t dy,
                                     const cudnnConvolutionDescriptor_t convolution,
                                     const cudnnTensorDescriptor_t dx, const int room, int *count,
                                     cudnnConvolutionBwdDataAlgoPerf_t *algorithms)
{
    (void)handle, (void)room, (void)algorithms;
    find_engines(BACKWARD_DATA, dx, weight, convolution, dy);
    *count = 0;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t weight_algorithms(cudnnHandle_t handle, const cudnnTensorDescriptor_t x,
                                       const cudnnTensorDescriptor_t dy,
                                       const cudnnConvolutionDescriptor_t convolution,
                                       const cudnnFilterDescriptor_t dweight, const int room, int *count,
                                       cudnnConvolutionBwdFilterAlgoPerf_t *algorithms)
{
    (void)handle, (void)room, (void)algorithms;
    find_engines(BACKWARD_WEIGHT, x, dweight, convolution, dy);
    *count = 0;
    return CUDNN_STATUS_SUCCESS;
}

int find_convolution_engines(struct df_cuda_context *context, enum convolution_pass pass,
                             struct df_conv_shape shape, struct convolution_engines *engines)
{
    struct df_backend *const backend = &context->backend;
    int status;

    *engines = (struct convolution_engines){0};
    asking.cudnn = &context->cudnn;
    asking.engines = engines;
    asking.status = 0;
    context->cudnn.cudnnGetConvolutionForwardAlgorithm_v7 = forward_algorithms;
    context->cudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7 = data_algorithms;
    context->cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7 = weight_algorithms;
    context->scratch = engines; /* not touched: nothing is launched */
    context->scratch_bytes = SIZE_MAX;
    if (pass == FORWARD)
        status = df_cuda_conv_forward(backend, shape, NULL, NULL, NULL, NULL);
    else if (pass == BACKWARD_DATA)
        status = df_cuda_conv_backward_data(backend, shape, NULL, NULL, NULL);
    else
        status = df_cuda_conv_backward_weight(backend, shape, NULL, NULL, NULL);
    df_cuda_conv_close(context);
    return status == 0 && engines->asked ? asking.status : -1;
}
