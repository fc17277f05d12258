#include "attention_cudnn.h"
#include "cuda_backend.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

static void check_shape(struct df_attention_shape shape)
{
    assert(shape.batch > 0 && shape.tokens > 0 && shape.heads > 0);
    assert(shape.head_size == 64 || shape.head_size == 128);
    (void)shape;
}

int df_cuda_expect_attention(struct df_backend *backend, struct df_attention_shape shape, bool training)
{
    check_shape(shape);
    if (backend->compute == DF_BF16)
        df_attention_cudnn_expect(backend, shape, training);
    return 0;
}

int df_cuda_attention_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                              void *out, float *lse)
{
    check_shape(shape);
    if (backend->compute == DF_BF16 && df_attention_cudnn_forward(backend, shape, qkv, out, lse))
        return 0;
    df_cuda_note_algorithm(backend, DF_OWN_KERNEL);
    return DF_LAUNCH_ON(backend, attention_forward, shape, backend->compute, qkv, out, lse);
}

int df_cuda_attention_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                               const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk)
{
    check_shape(shape);
    assert(lse);
    /* cuDNN computes dk whether it is needed or not, and writes it. */
    if (backend->compute == DF_BF16 && need_dk &&
        df_attention_cudnn_backward(backend, shape, qkv, out, lse, dout, dqkv))
        return 0;
    df_cuda_note_algorithm(backend, DF_OWN_KERNEL);
    void *scratch = df_cuda_scratch(backend, df_launch_attention_backward_scratch(shape, backend->compute));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, attention_backward, shape, backend->compute, qkv, out, lse, dout, dqkv,
                        need_dk, scratch);
}
