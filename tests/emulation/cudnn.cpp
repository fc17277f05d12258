/* cuDNN's convolutions in plain loops: cross-correlation, float32, without dilation. */
#include "cudnn_state.h"
#include "device_memory.h"

#include <atomic>
#include <cstring>

/* A tensor of four dimensions: where element (n, c, h, w) lies. */
struct df_emulated_tensor {
    cudnnTensorFormat_t format;
    int n, c, h, w;
};

struct df_emulated_filter {
    df_emulated_tensor shape;
};

struct df_emulated_convolution {
    int pad_h, pad_w, stride_h, stride_w;
    cudnnMathType_t math;
};

namespace emulation
{

df_emulated_cudnn cudnn_behaviour = DF_CUDNN_CORRECT;

static const size_t workspace_needed = 4096;
static std::atomic<int> handles; /* asked for by one thread while another creates them */

static size_t element_offset(const df_emulated_tensor &t, int n, int c, int h, int w)
{
    if (t.format == CUDNN_TENSOR_NHWC)
        return (((size_t)n * (size_t)t.h + (size_t)h) * (size_t)t.w + (size_t)w) * (size_t)t.c + (size_t)c;
    return (((size_t)n * (size_t)t.c + (size_t)c) * (size_t)t.h + (size_t)h) * (size_t)t.w + (size_t)w;
}

static size_t count(const df_emulated_tensor &t)
{
    return (size_t)t.n * (size_t)t.c * (size_t)t.h * (size_t)t.w;
}

static cudnnStatus_t set_shape(df_emulated_tensor *t, cudnnTensorFormat_t format, cudnnDataType_t type, int n,
                               int c, int h, int w)
{
    if (!t || type != CUDNN_DATA_FLOAT || n < 1 || c < 1 || h < 1 || w < 1)
        return CUDNN_STATUS_BAD_PARAM;
    *t = {format, n, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t check_shapes(const df_emulated_tensor &x, const df_emulated_tensor &w,
                                  const df_emulated_convolution &v, const df_emulated_tensor &y)
{
    const bool fits = x.n == y.n && x.c == w.c && y.c == w.n &&
                      y.h == (x.h + 2 * v.pad_h - w.h) / v.stride_h + 1 &&
                      y.w == (x.w + 2 * v.pad_w - w.w) / v.stride_w + 1;
    return fits ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

static void check_place(const char *name, const void *p, const df_emulated_tensor &t)
{
    if (!is_allocated(p, count(t) * sizeof(float)))
        report(nullptr, "cuDNN: %s [%d, %d, %d, %d] is not device memory of one allocation", name, t.n, t.c,
               t.h, t.w);
}

/* Calls f with the offsets in x, w and y of every product of the convolution, those of one element of y one
 * after the other. */
template <typename F>
static void for_each_product(const df_emulated_tensor &x, const df_emulated_tensor &w,
                             const df_emulated_convolution &v, const df_emulated_tensor &y, F f)
{
    for (int n = 0; n < y.n; n++) {
        for (int oh = 0; oh < y.h; oh++) {
            for (int ow = 0; ow < y.w; ow++) {
                for (int k = 0; k < y.c; k++) {
                    for (int kh = 0; kh < w.h; kh++) {
                        for (int kw = 0; kw < w.w; kw++) {
                            const int h = oh * v.stride_h - v.pad_h + kh,
                                      column = ow * v.stride_w - v.pad_w + kw;
                            if (h < 0 || h >= x.h || column < 0 || column >= x.w)
                                continue;
                            for (int c = 0; c < w.c; c++)
                                f(element_offset(x, n, c, h, column), element_offset(w, k, c, kh, kw),
                                  element_offset(y, n, k, oh, ow));
                        }
                    }
                }
            }
        }
    }
}

enum class pass { forward, data, filter };

struct convolution {
    pass which;
    df_emulated_tensor x, w, y;
    df_emulated_convolution settings;
    float *x_data, *w_data, *y_data; /* the pass writes one of them */
    float alpha, beta;
};

static void convolve(const convolution &v)
{
    const df_emulated_tensor &result_shape = v.which == pass::forward ? v.y
                                             : v.which == pass::data  ? v.x
                                                                      : v.w;
    float *const result = v.which == pass::forward ? v.y_data : v.which == pass::data ? v.x_data : v.w_data;
    std::vector<float> sums(count(result_shape));

    for_each_product(v.x, v.w, v.settings, v.y, [&](size_t x, size_t w, size_t y) {
        if (v.which == pass::forward)
            sums[y] += v.x_data[x] * v.w_data[w];
        else if (v.which == pass::data)
            sums[x] += v.y_data[y] * v.w_data[w];
        else
            sums[w] += v.x_data[x] * v.y_data[y];
    });
    for (size_t i = 0; i < sums.size(); i++)
        result[i] = v.alpha * sums[i] + (v.beta != 0.0f ? v.beta * result[i] : 0.0f);
}

static cudnnStatus_t start(cudnnHandle_t handle, const convolution &v, void *workspace,
                           size_t workspace_bytes)
{
    if (!handle)
        return CUDNN_STATUS_NOT_INITIALIZED;
    const cudnnStatus_t status = check_shapes(v.x, v.w, v.settings, v.y);
    if (status != CUDNN_STATUS_SUCCESS)
        return status;
    /* Listed, but not supported when it is executed: the library does that too. */
    if (v.w.h == 2)
        return CUDNN_STATUS_NOT_SUPPORTED;
    if (workspace_bytes < workspace_needed || !is_allocated(workspace, workspace_needed))
        return CUDNN_STATUS_BAD_PARAM;
    check_place("x", v.x_data, v.x);
    check_place("w", v.w_data, v.w);
    check_place("y", v.y_data, v.y);
    enqueue(handle->stream, [v]() {
        open_device_memory();
        convolve(v);
        close_device_memory();
    });
    return CUDNN_STATUS_SUCCESS;
}

/* The list of algorithms: one that uses tensor cores or atomics, then one that does neither. */
template <typename R, typename A>
static cudnnStatus_t list_algorithms(A unusable, A usable, int wanted, int *found, R *results)
{
    if (wanted < 1 || !found || !results)
        return CUDNN_STATUS_BAD_PARAM;
    for (int i = 0; i < wanted && i < 2; i++) {
        memset(&results[i], 0, sizeof results[i]);
        results[i].algo = i == 0 ? unusable : usable;
        results[i].status = CUDNN_STATUS_SUCCESS;
        results[i].time = -1.0f;
        results[i].memory = workspace_needed;
        results[i].determinism = i == 0 ? CUDNN_NON_DETERMINISTIC : CUDNN_DETERMINISTIC;
        results[i].mathType = CUDNN_FMA_MATH;
    }
    *found = wanted < 2 ? wanted : 2;
    return CUDNN_STATUS_SUCCESS;
}

extern "C" {

void df_emulation_set_cudnn(enum df_emulated_cudnn how)
{
    cudnn_behaviour = how;
}

int df_emulation_cudnn_handles(void)
{
    return handles;
}

size_t cudnnGetVersion(void)
{
    switch (cudnn_behaviour) {
    case DF_CUDNN_FAULTY:
        return 91000;
    case DF_CUDNN_NEWER:
        return 92600;
    default:
        return CUDNN_VERSION;
    }
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_SUCCESS ? "CUDNN_STATUS_SUCCESS" : "a status of cuDNN";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    if (cudnn_behaviour == DF_CUDNN_ABSENT || machine_is("no-cudnn"))
        return CUDNN_STATUS_NOT_INITIALIZED;
    *handle = new df_emulated_dnn();
    handles++;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    delete handle;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *tensor)
{
    *tensor = new df_emulated_tensor();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w)
{
    return set_shape(tensor, format, type, n, c, h, w);
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor)
{
    delete tensor;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *filter)
{
    *filter = new df_emulated_filter();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w)
{
    return filter ? set_shape(&filter->shape, format, type, k, c, h, w) : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter)
{
    delete filter;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *convolution)
{
    *convolution = new df_emulated_convolution();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t convolution, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t compute)
{
    if (!convolution || pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1 || compute != CUDNN_DATA_FLOAT)
        return CUDNN_STATUS_BAD_PARAM;
    if (mode != CUDNN_CROSS_CORRELATION || dilation_h != 1 || dilation_w != 1)
        return CUDNN_STATUS_NOT_SUPPORTED;
    *convolution = {pad_h, pad_w, stride_h, stride_w, CUDNN_DEFAULT_MATH};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convolution, cudnnMathType_t math)
{
    convolution->math = math;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution)
{
    delete convolution;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnTransformTensor(cudnnHandle_t handle, const void *alpha,
                                   const cudnnTensorDescriptor_t x_layout, const void *x, const void *beta,
                                   const cudnnTensorDescriptor_t y_layout, void *y)
{
    const df_emulated_tensor from = *x_layout, to = *y_layout;
    const float a = *(const float *)alpha, b = *(const float *)beta;

    if (from.n != to.n || from.c != to.c || from.h != to.h || from.w != to.w)
        return CUDNN_STATUS_BAD_PARAM;
    check_place("x", x, from);
    check_place("y", y, to);
    enqueue(handle->stream, [=]() {
        open_device_memory();
        for (int n = 0; n < from.n; n++) {
            for (int c = 0; c < from.c; c++) {
                for (int h = 0; h < from.h; h++) {
                    for (int w = 0; w < from.w; w++) {
                        float &value = ((float *)y)[element_offset(to, n, c, h, w)];
                        value = a * ((const float *)x)[element_offset(from, n, c, h, w)] +
                                (b != 0.0f ? b * value : 0.0f);
                    }
                }
            }
        }
        close_device_memory();
    });
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                     const cudnnFilterDescriptor_t w,
                                                     const cudnnConvolutionDescriptor_t convolution,
                                                     const cudnnTensorDescriptor_t y, const int wanted,
                                                     int *found, cudnnConvolutionFwdAlgoPerf_t *results)
{
    const cudnnStatus_t status = check_shapes(*x, w->shape, *convolution, *y);
    return status != CUDNN_STATUS_SUCCESS
               ? status
               : list_algorithms(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                 CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, wanted, found, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, const cudnnFilterDescriptor_t w,
                                                          const cudnnTensorDescriptor_t dy,
                                                          const cudnnConvolutionDescriptor_t convolution,
                                                          const cudnnTensorDescriptor_t dx, const int wanted,
                                                          int *found,
                                                          cudnnConvolutionBwdDataAlgoPerf_t *results)
{
    const cudnnStatus_t status = check_shapes(*dx, w->shape, *convolution, *dy);
    return status != CUDNN_STATUS_SUCCESS
               ? status
               : list_algorithms(CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, wanted,
                                 found, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                            const cudnnTensorDescriptor_t dy,
                                                            const cudnnConvolutionDescriptor_t convolution,
                                                            const cudnnFilterDescriptor_t dw,
                                                            const int wanted, int *found,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t *results)
{
    const cudnnStatus_t status = check_shapes(*x, dw->shape, *convolution, *dy);
    return status != CUDNN_STATUS_SUCCESS
               ? status
               : list_algorithms(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
                                 wanted, found, results);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha,
                                      const cudnnTensorDescriptor_t x_layout, const void *x,
                                      const cudnnFilterDescriptor_t w_layout, const void *w,
                                      const cudnnConvolutionDescriptor_t settings, cudnnConvolutionFwdAlgo_t,
                                      void *workspace, size_t workspace_bytes, const void *beta,
                                      const cudnnTensorDescriptor_t y_layout, void *y)
{
    return start(handle,
                 {pass::forward, *x_layout, w_layout->shape, *y_layout, *settings,
                  (float *)const_cast<void *>(x), (float *)const_cast<void *>(w), (float *)y,
                  *(const float *)alpha, *(const float *)beta},
                 workspace, workspace_bytes);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha,
                                           const cudnnFilterDescriptor_t w_layout, const void *w,
                                           const cudnnTensorDescriptor_t dy_layout, const void *dy,
                                           const cudnnConvolutionDescriptor_t settings,
                                           cudnnConvolutionBwdDataAlgo_t, void *workspace,
                                           size_t workspace_bytes, const void *beta,
                                           const cudnnTensorDescriptor_t dx_layout, void *dx)
{
    return start(handle,
                 {pass::data, *dx_layout, w_layout->shape, *dy_layout, *settings, (float *)dx,
                  (float *)const_cast<void *>(w), (float *)const_cast<void *>(dy), *(const float *)alpha,
                  *(const float *)beta},
                 workspace, workspace_bytes);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void *alpha,
                                             const cudnnTensorDescriptor_t x_layout, const void *x,
                                             const cudnnTensorDescriptor_t dy_layout, const void *dy,
                                             const cudnnConvolutionDescriptor_t settings,
                                             cudnnConvolutionBwdFilterAlgo_t, void *workspace,
                                             size_t workspace_bytes, const void *beta,
                                             const cudnnFilterDescriptor_t dw_layout, void *dw)
{
    return start(handle,
                 {pass::filter, *x_layout, dw_layout->shape, *dy_layout, *settings,
                  (float *)const_cast<void *>(x), (float *)dw, (float *)const_cast<void *>(dy),
                  *(const float *)alpha, *(const float *)beta},
                 workspace, workspace_bytes);
}

} /* extern "C" */

} // namespace emulation
