#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_rope(struct df_backend *backend, void *qkv, struct df_attention_shape shape,
                 int64_t prefix_tokens, const float *sin, const float *cos, bool inverse)
{
    assert(prefix_tokens >= 0 && prefix_tokens <= shape.tokens && shape.head_size % 2 == 0);
    if (prefix_tokens == shape.tokens)
        return 0;
    return DF_LAUNCH_ON(backend, rope, qkv, backend->compute, shape, prefix_tokens, sin, cos, inverse);
}
