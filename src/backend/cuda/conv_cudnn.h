/* cuDNN's convolutions, where it has an algorithm that repeats its bits and multiplies in plain float32 (not
 * TF32). Private to src/backend/cuda. */
#ifndef DINOFT_CUDA_CONV_CUDNN_H
#define DINOFT_CUDA_CONV_CUDNN_H

#include "cuda_context.h"

/* Enqueue the pass as the operation of that name does, batch > 0. 1: done; 0: our own kernels are to be used;
 * -1 with the error set. */
int df_conv_cudnn_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                          const float *weight, const float *bias, float *y);
int df_conv_cudnn_backward_data(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                                const float *weight, float *dx);
int df_conv_cudnn_backward_weight(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                  const float *dy, float *dweight);

#endif
