/* The stubs of the runtime, cuBLASLt and cuDNN. */
#include "support/cmocka_all.h"

#include "emulation_control.h"
#include "examples.h"

#include "dinoft/dtype.h"

#include <cublasLt.h>
#include <cudnn.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void memory_runs_out(void **state)
{
    const size_t before = df_emulation_memory_in_use();
    void *first, *second;
    size_t free, total;

    df_emulation_set_memory(before + 1000);
    assert_int_equal(cudaMalloc(&first, 600), cudaSuccess);
    assert_int_equal(cudaMalloc(&second, 600), cudaErrorMemoryAllocation);
    assert_null(second);
    assert_int_equal(cudaMemGetInfo(&free, &total), cudaSuccess);
    assert_int_equal(free, 400);
    assert_int_equal(total, before + 1000);
    assert_int_equal(cudaPeekAtLastError(), cudaErrorMemoryAllocation);
    assert_int_equal(cudaGetLastError(), cudaErrorMemoryAllocation);
    assert_int_equal(cudaGetLastError(), cudaSuccess);
    assert_int_equal(cudaFree(first), cudaSuccess);
    assert_int_equal(cudaMalloc(&second, 1000), cudaSuccess);
    assert_int_equal(cudaFree(second), cudaSuccess);
    assert_int_equal(cudaFree(second), cudaErrorInvalidValue); /* twice */
    (void)cudaGetLastError();
    df_emulation_set_memory((size_t)1 << 30);
}

static void copies_are_checked(void **state)
{
    char host[64] = "0123456789", back[64];
    char *device;

    assert_int_equal(cudaMalloc((void **)&device, 64), cudaSuccess);
    assert_int_equal(cudaMemcpy(device, host, 64, cudaMemcpyHostToDevice), cudaSuccess);
    assert_int_equal(cudaMemcpy(device + 32, device, 32, cudaMemcpyDeviceToDevice), cudaSuccess);
    assert_int_equal(cudaMemcpy(back, device + 32, 32, cudaMemcpyDefault), cudaSuccess);
    assert_memory_equal(back, host, 32);
    assert_int_equal(cudaMemcpy(host, device, 64, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpy(device, host, 65, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpy(device, host, 64, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
    assert_int_equal(cudaMemset(device + 1, 0, 64), cudaErrorInvalidValue);
    assert_int_equal(cudaMemset(host, 0, 64), cudaErrorInvalidValue);
    assert_int_equal(cudaGetLastError(), cudaErrorInvalidValue);
    assert_int_equal(cudaFree(device), cudaSuccess);
}

/* What a stream is given while it is captured runs when the graph does, each time, with the arguments of
 * then. */
static void graphs_repeat_work(void **state)
{
    float *x, zero = 0.0f, first;
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    enum cudaStreamCaptureStatus status;

    assert_int_equal(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    assert_int_equal(cudaMalloc((void **)&x, sizeof *x), cudaSuccess);
    assert_int_equal(cudaMemset(x, 0, sizeof *x), cudaSuccess);
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    assert_int_equal(cudaStreamIsCapturing(stream, &status), cudaSuccess);
    assert_int_equal(status, cudaStreamCaptureStatusActive);
    assert_int_equal(sound_arguments(stream, x, 1, 10.0f), cudaSuccess);
    assert_int_equal(sound_arguments(stream, x, 1, 20.0f), cudaSuccess);
    assert_int_equal(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    assert_int_equal(cudaGetLastError(), cudaErrorStreamCaptureUnsupported);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
    (void)cudaGetLastError();

    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    assert_int_equal(sound_arguments(stream, x, 1, 10.0f), cudaSuccess);
    assert_int_equal(sound_arguments(stream, x, 1, 20.0f), cudaSuccess);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_int_equal(cudaMemcpy(&first, x, sizeof first, cudaMemcpyDeviceToHost), cudaSuccess);
    assert_true(first == zero);
    assert_int_equal(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(cudaGraphLaunch(exec, stream), cudaSuccess);
        assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);
        assert_int_equal(cudaMemcpy(&first, x, sizeof first, cudaMemcpyDeviceToHost), cudaSuccess);
        assert_true(first == 32.0f * (float)i);
    }
    assert_int_equal(cudaGraphExecDestroy(exec), cudaSuccess);
    assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
    assert_int_equal(cudaFree(x), cudaSuccess);
}

/* What a device refuses while a stream is captured. Each invalidates the capture. */
static cudaError_t allocate(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    void *more;

    return cudaMalloc(&more, 4);
}

static cudaError_t give_back(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    return cudaFree(memory);
}

static cudaError_t pin(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    void *more;

    return cudaMallocHost(&more, 4);
}

static cudaError_t read_at_once(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    float value;

    return cudaMemcpy(&value, memory, sizeof value, cudaMemcpyDeviceToHost);
}

static cudaError_t wait_for_all(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    return cudaDeviceSynchronize();
}

static cudaError_t wait_for_outside(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    return cudaStreamWaitEvent(stream, event, 0);
}

static cudaError_t wait_for_inside(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    assert_int_equal(cudaEventRecord(event, stream), cudaSuccess);
    return cudaEventSynchronize(event);
}

static cudaError_t lead_outside(cudaStream_t stream, cudaEvent_t event, void *memory)
{
    cudaStream_t other;

    assert_int_equal(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
    assert_int_equal(cudaEventRecord(event, stream), cudaSuccess);
    const cudaError_t error = cudaStreamWaitEvent(other, event, 0);
    assert_int_equal(cudaStreamDestroy(other), cudaSuccess);
    return error;
}

static void captures_are_invalidated(void **state)
{
    static const struct {
        cudaError_t (*call)(cudaStream_t, cudaEvent_t, void *);
        cudaError_t error;
    } calls[] = {
        {allocate, cudaErrorStreamCaptureUnsupported},
        {give_back, cudaErrorStreamCaptureUnsupported},
        {pin, cudaErrorStreamCaptureUnsupported},
        {read_at_once, cudaErrorStreamCaptureUnsupported},
        {wait_for_all, cudaErrorStreamCaptureUnsupported},
        {wait_for_outside, cudaErrorStreamCaptureIsolation},
        {wait_for_inside, cudaErrorCapturedEvent},
        {lead_outside, cudaErrorCapturedEvent},
    };
    cudaStream_t stream;
    cudaEvent_t event;
    cudaGraph_t graph;
    float *x;

    assert_int_equal(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    assert_int_equal(cudaEventCreate(&event), cudaSuccess);
    assert_int_equal(cudaMalloc((void **)&x, sizeof *x), cudaSuccess);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(cudaEventRecord(event, stream), cudaSuccess);
        assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        assert_int_equal(calls[i].call(stream, event, x), calls[i].error);
        assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
        assert_null(graph);
        assert_int_equal(cudaGetLastError(), cudaErrorStreamCaptureInvalidated);
    }
    /* Afterwards everything works as before, and a capture may end with what was allowed. */
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    assert_int_equal(cudaEventRecord(event, stream), cudaSuccess);
    assert_int_equal(cudaStreamWaitEvent(stream, event, 0), cudaSuccess);
    assert_int_equal(cudaMemsetAsync(x, 0, sizeof *x, stream), cudaSuccess);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_int_equal(cudaEventQuery(event), cudaErrorCapturedEvent);
    assert_int_equal(cudaGetLastError(), cudaErrorCapturedEvent);
    assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
    assert_int_equal(cudaFree(x), cudaSuccess);
    assert_int_equal(cudaEventDestroy(event), cudaSuccess);
    assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
}

/* What is put on a stream is done when somebody waits for it, and not before: who forgets to wait sees old
 * values. */
static void streams_work_late(void **state)
{
    float *x, *pinned, plain = -1.0f;
    cudaStream_t first, second;
    cudaEvent_t event;
    float milliseconds;

    assert_int_equal(cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking), cudaSuccess);
    assert_int_equal(cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking), cudaSuccess);
    assert_int_equal(cudaEventCreate(&event), cudaSuccess);
    assert_int_equal(cudaMalloc((void **)&x, sizeof *x), cudaSuccess);
    assert_int_equal(cudaMallocHost((void **)&pinned, sizeof *pinned), cudaSuccess);
    assert_int_equal(cudaMemset(x, 0, sizeof *x), cudaSuccess);
    *pinned = -1.0f;

    assert_int_equal(sound_arguments(first, x, 1, 10.0f), cudaSuccess);
    assert_int_equal(cudaEventRecord(event, first), cudaSuccess);
    assert_int_equal(sound_arguments(first, x, 1, 20.0f), cudaSuccess);
    assert_int_equal(cudaMemcpyAsync(pinned, x, sizeof *x, cudaMemcpyDeviceToHost, second), cudaSuccess);
    assert_int_equal(cudaEventElapsedTime(&milliseconds, event, event), cudaErrorNotReady);
    assert_int_equal(cudaStreamSynchronize(second), cudaSuccess);
    assert_true(*pinned == 0.0f); /* the second stream does not wait for the first */
    assert_int_equal(cudaStreamWaitEvent(second, event, 0), cudaSuccess);
    assert_int_equal(cudaMemcpyAsync(pinned, x, sizeof *x, cudaMemcpyDeviceToHost, second), cudaSuccess);
    assert_true(*pinned == 0.0f);
    assert_int_equal(cudaStreamQuery(second), cudaErrorNotReady);
    while (cudaStreamQuery(second) != cudaSuccess)
        ;
    assert_true(*pinned == 11.0f); /* up to the event, and no further */
    assert_int_equal(cudaEventElapsedTime(&milliseconds, event, event), cudaSuccess);
    /* The host's own memory is written before the call returns. */
    assert_int_equal(cudaMemcpyAsync(&plain, x, sizeof *x, cudaMemcpyDeviceToHost, first), cudaSuccess);
    assert_true(plain == 32.0f);
    assert_int_equal(cudaMemsetAsync(x, 0, sizeof *x, first), cudaSuccess);
    assert_int_equal(cudaDeviceSynchronize(), cudaSuccess);
    assert_int_equal(cudaMemcpy(&plain, x, sizeof *x, cudaMemcpyDeviceToHost), cudaSuccess);
    assert_true(plain == 0.0f);
    assert_int_equal(cudaGetLastError(), cudaSuccess);

    cudaFreeHost(pinned);
    cudaFree(x);
    cudaEventDestroy(event);
    cudaStreamDestroy(first);
    cudaStreamDestroy(second);
}

/* --- cuBLASLt --- */

/* Column-major matrices of small integers, of float32 or bfloat16. */
static float element(int seed, int i)
{
    return (float)((seed + i * 29 + i / 5 * 3) % 9 - 4);
}

static void *put_matrix(int seed, int count, bool narrow)
{
    const size_t bytes = (size_t)count * (narrow ? 2 : 4);
    void *host = malloc(bytes), *device;

    for (int i = 0; i < count; i++) {
        if (narrow)
            ((uint16_t *)host)[i] = df_f32_to_bf16(element(seed, i));
        else
            ((float *)host)[i] = element(seed, i);
    }
    assert_int_equal(cudaMalloc(&device, bytes), cudaSuccess);
    assert_int_equal(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    free(host);
    return device;
}

struct trial {
    bool narrow, narrow_out, transpose_a, transpose_b, bias, accumulate;
};

enum { M = 19, N = 7, K = 33, LD_MORE = 5 };

static void check_product(cublasLtHandle_t handle, struct trial t)
{
    const cudaDataType in = t.narrow ? CUDA_R_16BF : CUDA_R_32F,
                       out = t.narrow_out ? CUDA_R_16BF : CUDA_R_32F;
    const int a_rows = t.transpose_a ? K : M, a_columns = t.transpose_a ? M : K;
    const int b_rows = t.transpose_b ? N : K, b_columns = t.transpose_b ? K : N;
    const int lda = a_rows + LD_MORE, ldb = b_rows + LD_MORE, ldd = M + LD_MORE;
    const cublasOperation_t turn = CUBLAS_OP_T;
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const float alpha = 1.0f, beta = t.accumulate ? 1.0f : 0.0f;
    const uint32_t alignment = 2;
    const size_t workspace_bytes = 1 << 16;
    void *a = put_matrix(1, lda * a_columns, t.narrow), *b = put_matrix(2, ldb * b_columns, t.narrow);
    void *bias = put_matrix(3, M, t.narrow_out), *workspace;
    cublasLtMatmulDesc_t operation;
    cublasLtMatrixLayout_t a_layout, b_layout, d_layout;
    cublasLtMatmulPreference_t preference;
    cublasLtMatmulHeuristicResult_t results[4];
    int found;

    assert_int_equal(cudaMalloc(&workspace, workspace_bytes), cudaSuccess);
    assert_int_equal(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), 0);
    if (t.transpose_a)
        assert_int_equal(
            cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &turn, sizeof turn), 0);
    if (t.transpose_b)
        assert_int_equal(
            cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSB, &turn, sizeof turn), 0);
    if (t.bias) {
        assert_int_equal(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                                        sizeof epilogue),
                         0);
        assert_int_equal(
            cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias),
            0);
    }
    assert_int_equal(cublasLtMatrixLayoutCreate(&a_layout, in, (uint64_t)a_rows, (uint64_t)a_columns, lda),
                     0);
    assert_int_equal(cublasLtMatrixLayoutCreate(&b_layout, in, (uint64_t)b_rows, (uint64_t)b_columns, ldb),
                     0);
    assert_int_equal(cublasLtMatrixLayoutCreate(&d_layout, out, M, N, ldd), 0);
    assert_int_equal(cublasLtMatmulPreferenceCreate(&preference), 0);
    for (int i = CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES; i <= CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES;
         i++)
        assert_int_equal(cublasLtMatmulPreferenceSetAttribute(preference, i, &alignment, sizeof alignment),
                         0);
    assert_int_equal(cublasLtMatmulPreferenceSetAttribute(preference,
                                                          CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                          &workspace_bytes, sizeof workspace_bytes),
                     0);
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        handle, operation, a_layout, b_layout, d_layout, d_layout, preference, 4, results, &found);
    if (!t.narrow && t.narrow_out) {
        assert_int_equal(status, CUBLAS_STATUS_NOT_SUPPORTED);
        found = 0;
    } else {
        assert_int_equal(status, CUBLAS_STATUS_SUCCESS);
        assert_int_equal(found, 3);
    }
    for (int i = 0; i < found; i++) {
        if (results[i].state != CUBLAS_STATUS_SUCCESS) {
            assert_int_equal(cublasLtMatmul(handle, operation, &alpha, a, a_layout, b, b_layout, &beta, a,
                                            d_layout, a, d_layout, &results[i].algo, workspace,
                                            workspace_bytes, NULL),
                             CUBLAS_STATUS_NOT_SUPPORTED);
            continue;
        }
        void *d = put_matrix(4, ldd * N, t.narrow_out);
        unsigned char got[(M + LD_MORE) * N * 4];
        assert_int_equal(cublasLtMatmul(handle, operation, &alpha, a, a_layout, b, b_layout, &beta, d,
                                        d_layout, d, d_layout, &results[i].algo, workspace, workspace_bytes,
                                        NULL),
                         0);
        assert_int_equal(cudaMemcpy(got, d, (size_t)ldd * N * (t.narrow_out ? 2 : 4), cudaMemcpyDeviceToHost),
                         0);
        for (int j = 0; j < ldd * N; j++) {
            const int row = j % ldd, column = j / ldd;
            float expected = t.accumulate || row >= M ? element(4, j) : 0.0f, value;
            for (int k = 0; k < K && row < M; k++)
                expected += element(1, t.transpose_a ? row * lda + k : k * lda + row) *
                            element(2, t.transpose_b ? k * ldb + column : column * ldb + k);
            if (t.bias && row < M)
                expected += element(3, row);
            if (t.narrow_out) {
                uint16_t bits;
                memcpy(&bits, got + 2 * j, sizeof bits);
                value = df_bf16_to_f32(bits);
                expected = df_bf16_to_f32(df_f32_to_bf16(expected));
            } else {
                memcpy(&value, got + 4 * j, sizeof value);
            }
            assert_true(value == expected);
        }
        cudaFree(d);
    }
    cublasLtMatmulPreferenceDestroy(preference);
    cublasLtMatrixLayoutDestroy(a_layout);
    cublasLtMatrixLayoutDestroy(b_layout);
    cublasLtMatrixLayoutDestroy(d_layout);
    cublasLtMatmulDescDestroy(operation);
    cudaFree(a);
    cudaFree(b);
    cudaFree(bias);
    cudaFree(workspace);
}

static void products_of_matrices(void **state)
{
    cublasLtHandle_t handle;

    assert_int_equal(cublasLtCreate(&handle), 0);
    for (int i = 0; i < 64; i++)
        check_product(handle, (struct trial){i & 1, i & 2, i & 4, i & 8, i & 16, i & 32});
    cublasLtDestroy(handle);
}

/* --- cuDNN --- */

enum { IMAGES = 2, HEIGHT = 5, WIDTH = 6, IN = 3, OUT = 4, KERNEL = 3, Y_HEIGHT = 3, Y_WIDTH = 4 };
enum {
    X_COUNT = IMAGES * HEIGHT * WIDTH * IN,
    Y_COUNT = IMAGES * Y_HEIGHT * Y_WIDTH * OUT,
    W_COUNT = OUT * KERNEL * KERNEL * IN
};

/* Calls use(context, x, w, y) with the places of every product of an NHWC convolution with weights [out, kh,
 * kw, in]. */
static void each_product(void (*use)(float *sums, int x, int w, int y), float *sums)
{
    for (int y = 0; y < Y_COUNT; y++) {
        const int out = y % OUT, column = y / OUT % Y_WIDTH, row = y / OUT / Y_WIDTH % Y_HEIGHT,
                  n = y / OUT / Y_WIDTH / Y_HEIGHT;
        for (int k = 0; k < KERNEL * KERNEL * IN; k++) {
            const int in = k % IN, kw = k / IN % KERNEL, kh = k / IN / KERNEL;
            use(sums, ((n * HEIGHT + row + kh) * WIDTH + column + kw) * IN + in,
                out * KERNEL * KERNEL * IN + k, y);
        }
    }
}

static void use_forward(float *sums, int x, int w, int y)
{
    sums[y] += element(1, x) * element(2, w);
}

static void use_data(float *sums, int x, int w, int y)
{
    sums[x] += element(3, y) * element(2, w);
}

static void use_filter(float *sums, int x, int w, int y)
{
    sums[w] += element(1, x) * element(3, y);
}

static void check_result(void *device, int count, void (*use)(float *sums, int x, int w, int y))
{
    float got[X_COUNT + Y_COUNT + W_COUNT], sums[X_COUNT + Y_COUNT + W_COUNT] = {0};

    each_product(use, sums);
    assert_int_equal(cudaMemcpy(got, device, (size_t)count * sizeof *got, cudaMemcpyDeviceToHost),
                     cudaSuccess);
    assert_memory_equal(got, sums, (size_t)count * sizeof *got);
    cudaFree(device);
}

static void convolutions(void **state)
{
    const float one = 1.0f, zero = 0.0f;
    cudnnHandle_t handle;
    cudnnTensorDescriptor_t x_shape, y_shape;
    cudnnFilterDescriptor_t w_shape;
    cudnnConvolutionDescriptor_t settings;
    cudnnConvolutionFwdAlgoPerf_t forward[3];
    void *x = put_matrix(1, X_COUNT, false), *w = put_matrix(2, W_COUNT, false),
         *dy = put_matrix(3, Y_COUNT, false);
    void *y = put_matrix(0, Y_COUNT, false), *dx = put_matrix(0, X_COUNT, false),
         *dw = put_matrix(0, W_COUNT, false);
    void *workspace;
    int found;

    assert_int_equal(cudnnCreate(&handle), 0);
    assert_int_equal(cudnnSetStream(handle, NULL), 0);
    assert_int_equal(cudnnCreateTensorDescriptor(&x_shape), 0);
    assert_int_equal(cudnnCreateTensorDescriptor(&y_shape), 0);
    assert_int_equal(cudnnCreateFilterDescriptor(&w_shape), 0);
    assert_int_equal(cudnnCreateConvolutionDescriptor(&settings), 0);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(x_shape, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, IMAGES, IN, HEIGHT, WIDTH),
        0);
    assert_int_equal(cudnnSetTensor4dDescriptor(y_shape, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, IMAGES, OUT,
                                                Y_HEIGHT, Y_WIDTH),
                     0);
    assert_int_equal(
        cudnnSetFilter4dDescriptor(w_shape, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, OUT, IN, KERNEL, KERNEL), 0);
    assert_int_equal(cudnnSetConvolution2dDescriptor(settings, 0, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION,
                                                     CUDNN_DATA_FLOAT),
                     0);
    assert_int_equal(cudnnGetConvolutionForwardAlgorithm_v7(handle, x_shape, w_shape, settings, y_shape, 3,
                                                            &found, forward),
                     0);
    assert_int_equal(found, 2);
    assert_int_equal(forward[0].determinism, CUDNN_NON_DETERMINISTIC);
    assert_int_equal(forward[1].determinism, CUDNN_DETERMINISTIC);
    assert_int_equal(cudaMalloc(&workspace, forward[1].memory), cudaSuccess);
    assert_int_equal(cudnnConvolutionForward(handle, &one, x_shape, x, w_shape, w, settings, forward[1].algo,
                                             workspace, 0, &zero, y_shape, y),
                     CUDNN_STATUS_BAD_PARAM); /* too small a workspace */
    assert_int_equal(cudnnConvolutionForward(handle, &one, x_shape, x, w_shape, w, settings, forward[1].algo,
                                             workspace, forward[1].memory, &zero, y_shape, y),
                     0);
    assert_int_equal(cudnnConvolutionBackwardData(handle, &one, w_shape, w, y_shape, dy, settings,
                                                  CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, workspace,
                                                  forward[1].memory, &zero, x_shape, dx),
                     0);
    assert_int_equal(cudnnConvolutionBackwardFilter(handle, &one, x_shape, x, y_shape, dy, settings,
                                                    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, workspace,
                                                    forward[1].memory, &zero, w_shape, dw),
                     0);
    check_result(y, Y_COUNT, use_forward);
    check_result(dx, X_COUNT, use_data);
    check_result(dw, W_COUNT, use_filter);
    cudaFree(x);
    cudaFree(w);
    cudaFree(dy);
    cudaFree(workspace);
    cudnnDestroyTensorDescriptor(x_shape);
    cudnnDestroyTensorDescriptor(y_shape);
    cudnnDestroyFilterDescriptor(w_shape);
    cudnnDestroyConvolutionDescriptor(settings);
    cudnnDestroy(handle);
}

static void layouts_are_transformed(void **state)
{
    const float one = 1.0f, zero = 0.0f;
    cudnnHandle_t handle;
    cudnnTensorDescriptor_t nchw, nhwc;
    void *from = put_matrix(1, X_COUNT, false), *to = put_matrix(0, X_COUNT, false);
    float got[X_COUNT];

    assert_int_equal(cudnnCreate(&handle), 0);
    assert_int_equal(cudnnCreateTensorDescriptor(&nchw), 0);
    assert_int_equal(cudnnCreateTensorDescriptor(&nhwc), 0);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(nchw, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, IMAGES, IN, HEIGHT, WIDTH), 0);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(nhwc, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, IMAGES, IN, HEIGHT, WIDTH), 0);
    assert_int_equal(cudnnTransformTensor(handle, &one, nchw, from, &zero, nhwc, to), 0);
    assert_int_equal(cudaMemcpy(got, to, sizeof got, cudaMemcpyDeviceToHost), cudaSuccess);
    for (int i = 0; i < X_COUNT; i++) {
        const int in = i % IN, place = i / IN % (HEIGHT * WIDTH), n = i / IN / (HEIGHT * WIDTH);
        assert_true(got[i] == element(1, (n * IN + in) * HEIGHT * WIDTH + place));
    }
    cudaFree(from);
    cudaFree(to);
    cudnnDestroyTensorDescriptor(nchw);
    cudnnDestroyTensorDescriptor(nhwc);
    cudnnDestroy(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_runs_out),    cmocka_unit_test(copies_are_checked),
        cmocka_unit_test(graphs_repeat_work), cmocka_unit_test(captures_are_invalidated),
        cmocka_unit_test(streams_work_late),  cmocka_unit_test(products_of_matrices),
        cmocka_unit_test(convolutions),       cmocka_unit_test(layouts_are_transformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
