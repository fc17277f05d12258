/* cuDNN's fused attention behind the backend's operation, where it computes what our own kernels compute and
 * does so faster. Private to src/backend/cuda.
 *
 * At a shape's first call cuDNN's deterministic engines run beside our kernel on the call's data. Those whose
 * results match are timed against it, and the fastest is kept in a file (autotune_cache.h): the shape is not
 * timed again, but in every process compared again before cuDNN's results are used. In all other cases, and
 * whenever cuDNN reports an error, our kernels run without a message. */
#ifndef DINOFT_CUDA_ATTENTION_CUDNN_H
#define DINOFT_CUDA_ATTENTION_CUDNN_H

#include "cuda_context.h"

/* Enqueues attention in bfloat16 as df_backend_ops.attention_forward; false if our own kernel is to be used.
 * May wait for the device at a shape's first call; a shape whose first call comes while the stream is
 * captured is left to our kernel for that call. */
bool df_attention_cudnn_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                void *out, float *lse);

#endif
