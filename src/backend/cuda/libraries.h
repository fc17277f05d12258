/* cuBLASLt and cuDNN, looked for when they are needed: a program that was built with CUDA also runs where
 * they are not installed. Private to src/backend/cuda.
 *
 * The tables have the types of the headers' prototypes and the functions' own names. */
#ifndef DINOFT_CUDA_LIBRARIES_H
#define DINOFT_CUDA_LIBRARIES_H

#include <cublasLt.h>
#include <cudnn.h>

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

#define DF_LIBRARY_FIELD(name) __typeof__(&name) name;

struct df_cublaslt {
    void *handle; /* of dlopen; NULL in the emulation */
    DF_CUBLASLT_FUNCTIONS(DF_LIBRARY_FIELD)
};

struct df_cudnn {
    void *handle;
    DF_CUDNN_FUNCTIONS(DF_LIBRARY_FIELD)
};

/* Fill the table. -1 with the error set: what was looked for, and why the last try failed. */
int df_cublaslt_open(struct df_cublaslt *library);
int df_cudnn_open(struct df_cudnn *library);

/* A table that was not filled is allowed. */
void df_cublaslt_close(struct df_cublaslt *library);
void df_cudnn_close(struct df_cudnn *library);

#endif
