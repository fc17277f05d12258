/* cuBLASLt and cuDNN, looked for when they are needed: a program that was built with CUDA also runs where
 * they are not installed. They stay loaded until it ends. Private to src/backend/cuda.
 *
 * The tables have the types of the headers' prototypes and the functions' own names. Without
 * DINOFT_WITH_CUDNN, where cuDNN's headers were not there when this was built, there is no cuDNN
 * (cudnn_absent.c). */
#ifndef DINOFT_CUDA_LIBRARIES_H
#define DINOFT_CUDA_LIBRARIES_H

#include <cublasLt.h>

#define DF_CUBLASLT_FUNCTIONS(X)                                                                             \
    X(cublasLtCreate)                                                                                        \
    X(cublasLtDestroy)                                                                                       \
    X(cublasLtGetVersion)                                                                                    \
    X(cublasLtMatmul)                                                                                        \
    X(cublasLtMatmulAlgoGetHeuristic)                                                                        \
    X(cublasLtMatmulDescCreate)                                                                              \
    X(cublasLtMatmulDescDestroy)                                                                             \
    X(cublasLtMatmulDescSetAttribute)                                                                        \
    X(cublasLtMatmulPreferenceCreate)                                                                        \
    X(cublasLtMatmulPreferenceDestroy)                                                                       \
    X(cublasLtMatmulPreferenceSetAttribute)                                                                  \
    X(cublasLtMatrixLayoutCreate)                                                                            \
    X(cublasLtMatrixLayoutDestroy)

#define DF_LIBRARY_FIELD(name) __typeof__(&name) name;

struct df_cublaslt {
    void *handle; /* of dlopen; NULL in the emulation */
    DF_CUBLASLT_FUNCTIONS(DF_LIBRARY_FIELD)
};

/* Fills the table. -1 with the error set: what was looked for, and why it was not found or cannot be used.
 *
 * With `blas` a handle is created too, on the current device: by another library of those found where the
 * first one cannot, as one cannot that does not fit the driver. NULL: none is, which takes no device. */
int df_cublaslt_open(struct df_cublaslt *library, cublasLtHandle_t *blas);

#ifdef DINOFT_WITH_CUDNN
#include <cudnn.h>

#define DF_CUDNN_FUNCTIONS(X)                                                                                \
    X(cudnnGetVersion)                                                                                       \
    X(cudnnCreate)                                                                                           \
    X(cudnnDestroy)                                                                                          \
    X(cudnnSetStream)                                                                                        \
    X(cudnnCreateTensorDescriptor)                                                                           \
    X(cudnnSetTensor4dDescriptor)                                                                            \
    X(cudnnDestroyTensorDescriptor)                                                                          \
    X(cudnnCreateFilterDescriptor)                                                                           \
    X(cudnnSetFilter4dDescriptor)                                                                            \
    X(cudnnDestroyFilterDescriptor)                                                                          \
    X(cudnnCreateConvolutionDescriptor)                                                                      \
    X(cudnnSetConvolution2dDescriptor)                                                                       \
    X(cudnnSetConvolutionMathType)                                                                           \
    X(cudnnDestroyConvolutionDescriptor)                                                                     \
    X(cudnnTransformTensor)                                                                                  \
    X(cudnnGetConvolutionForwardAlgorithm_v7)                                                                \
    X(cudnnGetConvolutionBackwardDataAlgorithm_v7)                                                           \
    X(cudnnGetConvolutionBackwardFilterAlgorithm_v7)                                                         \
    X(cudnnConvolutionForward)                                                                               \
    X(cudnnConvolutionBackwardData)                                                                          \
    X(cudnnConvolutionBackwardFilter)                                                                        \
    X(cudnnBackendCreateDescriptor)                                                                          \
    X(cudnnBackendDestroyDescriptor)                                                                         \
    X(cudnnBackendSetAttribute)                                                                              \
    X(cudnnBackendGetAttribute)                                                                              \
    X(cudnnBackendFinalize)                                                                                  \
    X(cudnnBackendExecute)

struct df_cudnn {
    void *handle;
    DF_CUDNN_FUNCTIONS(DF_LIBRARY_FIELD)
};

/* As df_cublaslt_open(), without a handle. */
int df_cudnn_open(struct df_cudnn *library);
#endif

#endif
