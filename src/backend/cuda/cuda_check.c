#include "cuda_check.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <string.h>

/* Where the name of the called function begins in "table->name(arguments)", and how long it is. */
static const char *called_name(const char *call, int *length)
{
    const size_t end = strcspn(call, "(");
    size_t begin = end;

    while (begin > 0 && call[begin - 1] != '.' && call[begin - 1] != '>' && call[begin - 1] != ' ')
        begin--;
    *length = (int)(end - begin);
    return call + begin;
}

static const char *likely_cause(cudaError_t status)
{
    switch (status) {
    case cudaErrorMemoryAllocation:
        return "the device's memory is used up; smaller batches, or recomputing activations, take less";
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorAssert:
        return "a kernel went wrong, perhaps in an earlier operation; CUDA_LAUNCH_BLOCKING=1 shows in which";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
        return "this build has no kernels for the device, or the driver is older than the build's toolkit";
    case cudaErrorInsufficientDriver:
        return "the driver is older than the toolkit that this was built with";
    case cudaErrorInvalidConfiguration:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorInvalidValue:
        return "a size that the device does not support";
    case cudaErrorDevicesUnavailable:
        return "another process has the device for itself";
    case cudaErrorECCUncorrectable:
    case cudaErrorHardwareStackError:
        return "the hardware is faulty, or its driver has to be restarted";
    default:
        return "none that is known; the driver's log (dmesg) may say more";
    }
}

int df_cuda_failed(cudaError_t status, const char *call, const char *file, int line)
{
    int length;
    const char *name = called_name(call, &length);

    (void)cudaGetLastError(); /* or the next operation would report it too */
    return df_error_set("CUDA: %.*s (%s:%d) failed: %s, %s; likely cause: %s", length, name,
                        df_path_name(file), line, cudaGetErrorName(status), cudaGetErrorString(status),
                        likely_cause(status));
}

int df_cuda_memory_failed(const char *what, size_t bytes)
{
    size_t available = 0, total = 0;

    (void)cudaGetLastError();
    if (cudaMemGetInfo(&available, &total) != cudaSuccess) {
        (void)cudaGetLastError();
        return df_error_memory(what, bytes);
    }
    return df_error_set("out of memory: %s needs %zu bytes; %zu of %zu bytes are free on the device", what,
                        bytes, available, total);
}

static const char *cublas_name(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "not initialized; likely cause: too little memory is left on the device, or the library does "
               "not fit the driver";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "allocation failed; likely cause: the device's memory is used up";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "invalid value; likely cause: an alignment or a leading dimension that the library does not "
               "support";
    case CUBLAS_STATUS_ARCH_MISMATCH:
        return "architecture mismatch; likely cause: the library is older than the device";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "execution failed; likely cause: an earlier kernel went wrong; CUDA_LAUNCH_BLOCKING=1 shows "
               "which";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "not supported; likely cause: the library is too old for this device or these types";
    default:
        return "internal error; likely cause: an earlier kernel went wrong, or the library does not fit the "
               "driver";
    }
}

int df_cublas_failed(cublasStatus_t status, const char *call, const char *file, int line)
{
    int length;
    const char *name = called_name(call, &length);

    return df_error_set("cuBLASLt: %.*s (%s:%d) failed with status %d: %s", length, name, df_path_name(file),
                        line, (int)status, cublas_name(status));
}

#ifdef DINOFT_WITH_CUDNN
/* cuDNN numbers its statuses by their kind, in thousands. */
static const char *cudnn_kind(cudnnStatus_t status)
{
    switch ((int)status / 1000) {
    case 1:
        return "not initialized; likely cause: a part of cuDNN is missing, or of another version than the "
               "rest";
    case 2:
        return "bad parameter; likely cause: a shape that it does not support";
    case 3:
        return "not supported; likely cause: the version of cuDNN has no kernel for it";
    case 4:
        return "internal error; likely cause: the device's memory is used up";
    default:
        return "execution failed; likely cause: an earlier kernel went wrong; CUDA_LAUNCH_BLOCKING=1 shows "
               "which";
    }
}

int df_cudnn_failed(cudnnStatus_t status, const char *call, const char *file, int line)
{
    int length;
    const char *name = called_name(call, &length);

    return df_error_set("cuDNN: %.*s (%s:%d) failed with status %d: %s", length, name, df_path_name(file),
                        line, (int)status, cudnn_kind(status));
}
#endif
