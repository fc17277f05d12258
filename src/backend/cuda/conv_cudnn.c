/* Feature maps are NHWC. cuDNN's kernels for them need the weights as NHWC too, [out, kernel, kernel, in]:
 * these are transposed in the scratch buffer (and their gradient back out of it), as they are small and
 * change every step. */
#include "conv_cudnn.h"

#include "cuda_backend.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

enum pass { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHT };

#define WORKSPACE_MAX_BYTES ((size_t)256 << 20)
#define ALGORITHMS_MAX      16
#define PLANS_MAX           64 /* an FPN has twelve: four shapes, three passes */

struct plan {
    enum pass pass;
    struct df_conv_shape shape;
    bool use_own; /* our own kernels */
    cudnnTensorDescriptor_t x, y;
    cudnnTensorDescriptor_t nchw, nhwc; /* the weights, as tensors */
    cudnnFilterDescriptor_t weight;     /* the same as nhwc */
    cudnnConvolutionDescriptor_t conv;
    int algorithm; /* of the pass's enum */
    size_t workspace;
};

struct df_conv_plans {
    int n_plans;
    struct plan plans[PLANS_MAX];
};

static void free_plan(struct df_cuda_context *context, struct plan *plan)
{
    const struct df_cudnn *cudnn = &context->cudnn;
    const cudnnTensorDescriptor_t tensors[] = {plan->x, plan->y, plan->nchw, plan->nhwc};

    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        if (tensors[i])
            (void)cudnn->cudnnDestroyTensorDescriptor(tensors[i]);
    }
    if (plan->weight)
        (void)cudnn->cudnnDestroyFilterDescriptor(plan->weight);
    if (plan->conv)
        (void)cudnn->cudnnDestroyConvolutionDescriptor(plan->conv);
    memset(plan, 0, sizeof *plan);
}

void df_conv_cudnn_close(struct df_cuda_context *context)
{
    for (int i = 0; context->convs && i < context->convs->n_plans; i++)
        free_plan(context, &context->convs->plans[i]);
    free(context->convs);
    context->convs = NULL;
}

static int open_plans(struct df_cuda_context *context)
{
    if (!context->convs)
        context->convs = calloc(1, sizeof *context->convs);
    return context->convs ? 0 : df_error_memory("the cuda backend's convolutions", sizeof *context->convs);
}

static int describe_tensor(const struct df_cudnn *cudnn, cudnnTensorDescriptor_t *tensor,
                           cudnnTensorFormat_t format, int64_t n, int64_t c, int64_t h, int64_t w)
{
    DF_TRY(DF_CUDNN(cudnn->cudnnCreateTensorDescriptor(tensor)));
    return DF_CUDNN(
        cudnn->cudnnSetTensor4dDescriptor(*tensor, format, CUDNN_DATA_FLOAT, (int)n, (int)c, (int)h, (int)w));
}

static int describe(const struct df_cudnn *cudnn, struct plan *plan)
{
    const struct df_conv_shape *s = &plan->shape;
    const int64_t height = df_conv_side(s, s->height), width = df_conv_side(s, s->width);

    DF_TRY(describe_tensor(cudnn, &plan->x, CUDNN_TENSOR_NHWC, s->batch, s->in, s->height, s->width));
    DF_TRY(describe_tensor(cudnn, &plan->y, CUDNN_TENSOR_NHWC, s->batch, s->out, height, width));
    DF_TRY(describe_tensor(cudnn, &plan->nchw, CUDNN_TENSOR_NCHW, s->out, s->in, s->kernel, s->kernel));
    DF_TRY(describe_tensor(cudnn, &plan->nhwc, CUDNN_TENSOR_NHWC, s->out, s->in, s->kernel, s->kernel));
    DF_TRY(DF_CUDNN(cudnn->cudnnCreateFilterDescriptor(&plan->weight)));
    DF_TRY(
        DF_CUDNN(cudnn->cudnnSetFilter4dDescriptor(plan->weight, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC,
                                                   (int)s->out, (int)s->in, (int)s->kernel, (int)s->kernel)));
    DF_TRY(DF_CUDNN(cudnn->cudnnCreateConvolutionDescriptor(&plan->conv)));
    DF_TRY(DF_CUDNN(cudnn->cudnnSetConvolution2dDescriptor(plan->conv, (int)s->padding, (int)s->padding, 1, 1,
                                                           1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT)));
    return DF_CUDNN(cudnn->cudnnSetConvolutionMathType(plan->conv, CUDNN_FMA_MATH));
}

/* Uses the first of the library's list, which is the fastest it expects, that is usable here. The lists of
 * the three passes have different types with equal fields. */
#define USE_FIRST_USABLE(plan, list, count)                                                                  \
    do {                                                                                                     \
        (plan)->use_own = true;                                                                              \
        for (int i = 0; i < (count) && (plan)->use_own; i++) {                                               \
            if ((list)[i].status != CUDNN_STATUS_SUCCESS || (list)[i].memory > WORKSPACE_MAX_BYTES ||        \
                (list)[i].determinism != CUDNN_DETERMINISTIC || (list)[i].mathType != CUDNN_FMA_MATH)        \
                continue;                                                                                    \
            (plan)->algorithm = (int)(list)[i].algo;                                                         \
            (plan)->workspace = (list)[i].memory;                                                            \
            (plan)->use_own = false;                                                                         \
        }                                                                                                    \
    } while (0)

static void choose_algorithm(struct df_cuda_context *context, struct plan *plan)
{
    const struct df_cudnn *cudnn = &context->cudnn;
    cudnnConvolutionFwdAlgoPerf_t forward[ALGORITHMS_MAX];
    cudnnConvolutionBwdDataAlgoPerf_t data[ALGORITHMS_MAX];
    cudnnConvolutionBwdFilterAlgoPerf_t weight[ALGORITHMS_MAX];
    int count = 0;

    if (plan->pass == FORWARD) {
        if (cudnn->cudnnGetConvolutionForwardAlgorithm_v7(context->dnn, plan->x, plan->weight, plan->conv,
                                                          plan->y, ALGORITHMS_MAX, &count, forward) != 0)
            count = 0;
        USE_FIRST_USABLE(plan, forward, count);
    } else if (plan->pass == BACKWARD_DATA) {
        if (cudnn->cudnnGetConvolutionBackwardDataAlgorithm_v7(
                context->dnn, plan->weight, plan->y, plan->conv, plan->x, ALGORITHMS_MAX, &count, data) != 0)
            count = 0;
        USE_FIRST_USABLE(plan, data, count);
    } else {
        if (cudnn->cudnnGetConvolutionBackwardFilterAlgorithm_v7(context->dnn, plan->x, plan->y, plan->conv,
                                                                 plan->weight, ALGORITHMS_MAX, &count,
                                                                 weight) != 0)
            count = 0;
        USE_FIRST_USABLE(plan, weight, count);
    }
}

/* NULL with the error set. */
static struct plan *find_plan(struct df_cuda_context *context, enum pass pass, struct df_conv_shape shape)
{
    if (open_plans(context) != 0)
        return NULL;
    struct df_conv_plans *plans = context->convs;
    for (int i = 0; i < plans->n_plans; i++) {
        if (plans->plans[i].pass == pass && memcmp(&plans->plans[i].shape, &shape, sizeof shape) == 0)
            return &plans->plans[i];
    }
    if (plans->n_plans == PLANS_MAX) /* images of ever new sizes: plans are cheap to make */
        while (plans->n_plans > 0)
            free_plan(context, &plans->plans[--plans->n_plans]);
    struct plan *plan = &plans->plans[plans->n_plans];
    *plan = (struct plan){.pass = pass, .shape = shape, .use_own = true};
    if (df_cuda_have_cudnn(context)) {
        if (describe(&context->cudnn, plan) != 0) {
            free_plan(context, plan);
            return NULL;
        }
        choose_algorithm(context, plan);
    }
    plans->n_plans++;
    return plan;
}

static size_t weight_bytes(const struct df_conv_shape *shape)
{
    return (size_t)(shape->out * shape->in * shape->kernel * shape->kernel) * sizeof(float);
}

/* The plan of a pass, and the scratch buffer, which holds the transposed weights, then the workspace. 1, or 0
 * where the pass is for our own kernels. */
static int begin(struct df_backend *backend, enum pass pass, struct df_conv_shape shape, struct plan **plan,
                 float **transposed, void **workspace)
{
    const size_t weights = df_cuda_aligned(weight_bytes(&shape));

    *plan = find_plan(df_cuda_context(backend), pass, shape);
    if (!*plan || (*plan)->use_own)
        return *plan ? 0 : -1;
    char *scratch = df_cuda_scratch(backend, weights + (*plan)->workspace);
    if (!scratch)
        return -1;
    *transposed = (float *)(void *)scratch;
    *workspace = scratch + weights;
    return 1;
}

/* to = from in the other layout. */
static int transpose(struct df_cuda_context *context, cudnnTensorDescriptor_t from_layout, const float *from,
                     cudnnTensorDescriptor_t to_layout, float *to)
{
    const float one = 1.0f, zero = 0.0f;
    return DF_CUDNN(
        context->cudnn.cudnnTransformTensor(context->dnn, &one, from_layout, from, &zero, to_layout, to));
}

static void note_algorithm(struct df_backend *backend, const struct plan *plan)
{
    snprintf(backend->algorithm, sizeof backend->algorithm, "cuDNN algorithm %d", plan->algorithm);
}

/* Whether the library refuses what it listed. From then on the plan is for our own kernels. */
static bool is_refused(struct plan *plan, cudnnStatus_t status)
{
    const int not_supported = CUDNN_STATUS_NOT_SUPPORTED / 1000;

    if ((int)status / 1000 != not_supported)
        return false;
    plan->use_own = true;
    return true;
}

int df_conv_cudnn_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                          const float *weight, const float *bias, float *y)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    const float one = 1.0f, zero = 0.0f;
    const int64_t pixels =
        shape.batch * df_conv_side(&shape, shape.height) * df_conv_side(&shape, shape.width);
    struct plan *plan;
    float *transposed;
    void *workspace;
    const int begun = begin(backend, FORWARD, shape, &plan, &transposed, &workspace);

    if (begun != 1)
        return begun;
    DF_TRY(transpose(context, plan->nchw, weight, plan->nhwc, transposed));
    const cudnnStatus_t status = context->cudnn.cudnnConvolutionForward(
        context->dnn, &one, plan->x, x, plan->weight, transposed, plan->conv,
        (cudnnConvolutionFwdAlgo_t)plan->algorithm, workspace, plan->workspace, &zero, plan->y, y);
    if (is_refused(plan, status))
        return 0;
    DF_TRY(df_cudnn_check(status, "cudnnConvolutionForward", __FILE__, __LINE__));
    if (bias)
        DF_TRY(df_cuda_add_bias(backend, (struct df_matrix){y, DF_F32, pixels, shape.out, shape.out}, bias));
    note_algorithm(backend, plan);
    return 1;
}

int df_conv_cudnn_backward_data(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                                const float *weight, float *dx)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    const float one = 1.0f, zero = 0.0f;
    struct plan *plan;
    float *transposed;
    void *workspace;
    const int begun = begin(backend, BACKWARD_DATA, shape, &plan, &transposed, &workspace);

    if (begun != 1)
        return begun;
    DF_TRY(transpose(context, plan->nchw, weight, plan->nhwc, transposed));
    const cudnnStatus_t status = context->cudnn.cudnnConvolutionBackwardData(
        context->dnn, &one, plan->weight, transposed, plan->y, dy, plan->conv,
        (cudnnConvolutionBwdDataAlgo_t)plan->algorithm, workspace, plan->workspace, &zero, plan->x, dx);
    if (is_refused(plan, status))
        return 0;
    DF_TRY(df_cudnn_check(status, "cudnnConvolutionBackwardData", __FILE__, __LINE__));
    note_algorithm(backend, plan);
    return 1;
}

int df_conv_cudnn_backward_weight(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                  const float *dy, float *dweight)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    const float one = 1.0f, zero = 0.0f;
    struct plan *plan;
    float *transposed;
    void *workspace;
    const int begun = begin(backend, BACKWARD_WEIGHT, shape, &plan, &transposed, &workspace);

    if (begun != 1)
        return begun;
    const cudnnStatus_t status = context->cudnn.cudnnConvolutionBackwardFilter(
        context->dnn, &one, plan->x, x, plan->y, dy, plan->conv,
        (cudnnConvolutionBwdFilterAlgo_t)plan->algorithm, workspace, plan->workspace, &zero, plan->weight,
        transposed);
    if (is_refused(plan, status))
        return 0;
    DF_TRY(df_cudnn_check(status, "cudnnConvolutionBackwardFilter", __FILE__, __LINE__));
    DF_TRY(transpose(context, plan->nhwc, transposed, plan->nchw, dweight));
    note_algorithm(backend, plan);
    return 1;
}
