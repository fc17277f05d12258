/* cuDNN's fused attention behind the backend's operations, where it computes what our own kernels compute and
 * does so faster. Private to src/backend/cuda.
 *
 * Where a shape's algorithm is chosen, cuDNN's deterministic plans run beside our kernel on the call's data.
 * Those whose results match are timed against it, and the fastest is kept in a file (autotune_cache.h), its
 * plan in another (plan_store.h): the shape is not timed again, but in every process compared again before
 * cuDNN's results are used. In all other cases, and whenever cuDNN reports an error, our kernels run without
 * a message.
 *
 * When it is chosen depends on nothing but the calls, so that the same calls have the same results whether or
 * not the files are there: in training, and where batches have one size, at the shape's first call; where
 * shapes may not come again (df_backend.transient), at the first after so much work of that shape that a
 * plan pays. Plans are made beside the work; where one is due that is not ready, the call waits. */
#ifndef DINOFT_CUDA_ATTENTION_CUDNN_H
#define DINOFT_CUDA_ATTENTION_CUDNN_H

#include "cuda_context.h"

/* Of one shape in an evaluation, before its algorithm is chosen: floating-point operations, about what our
 * kernel does on an H100 in half a second. Its plans begin to be made after half of it. */
#define DF_ATTENTION_PATIENCE 2e14

/* Begins to make the plans that the first call of this shape will need. */
void df_attention_cudnn_expect(struct df_backend *backend, struct df_attention_shape shape, bool training);

/* Enqueues attention in bfloat16 as df_backend_ops.attention_forward and attention_backward with need_dk;
 * false if our own kernel is to be used. May wait for the device where the algorithm is chosen; while the
 * stream is captured none is. */
bool df_attention_cudnn_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                void *out, float *lse);
bool df_attention_cudnn_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                 const void *out, const float *lse, const void *dout, void *dqkv);

#endif
