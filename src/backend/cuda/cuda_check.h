/* What failed in the CUDA runtime and its libraries, as an error text: the call, where it stands, what the
 * status means and what is the likely cause. Private to src/backend/cuda.
 *
 * Kernels run long after they were launched. A status that an operation returns may therefore belong to an
 * earlier one. */
#ifndef DINOFT_CUDA_CHECK_H
#define DINOFT_CUDA_CHECK_H

#include "libraries.h"

#include <cuda_runtime_api.h>

/* Set the error and return -1. `call` is the text of the expression, of which the function's name is shown;
 * of `file` only the last part is. */
int df_cuda_failed(cudaError_t status, const char *call, const char *file, int line);
int df_cublas_failed(cublasStatus_t status, const char *call, const char *file, int line);

/* "out of memory: WHAT needs N bytes; M of T are free on the device". Returns -1. */
int df_cuda_memory_failed(const char *what, size_t bytes);

/* The status as 0 or -1 with the error set. */
#define DF_CUDA(call)   df_cuda_check((call), #call, __FILE__, __LINE__)
#define DF_CUBLAS(call) df_cublas_check((call), #call, __FILE__, __LINE__)

static inline int df_cuda_check(cudaError_t status, const char *call, const char *file, int line)
{
    return status == cudaSuccess ? 0 : df_cuda_failed(status, call, file, line);
}

static inline int df_cublas_check(cublasStatus_t status, const char *call, const char *file, int line)
{
    return status == CUBLAS_STATUS_SUCCESS ? 0 : df_cublas_failed(status, call, file, line);
}

#ifdef DINOFT_WITH_CUDNN
#define DF_CUDNN(call) df_cudnn_check((call), #call, __FILE__, __LINE__)

int df_cudnn_failed(cudnnStatus_t status, const char *call, const char *file, int line);

static inline int df_cudnn_check(cudnnStatus_t status, const char *call, const char *file, int line)
{
    return status == CUDNN_STATUS_SUCCESS ? 0 : df_cudnn_failed(status, call, file, line);
}
#endif

#endif
