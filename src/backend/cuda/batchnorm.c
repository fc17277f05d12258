#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_batchnorm_forward(struct df_backend *backend, const struct df_batchnorm *norm, bool training,
                              const float *x, float *y)
{
    assert(norm->rows > 0 && norm->channels > 0);
    void *scratch = df_cuda_scratch(backend, df_launch_batchnorm_scratch(norm));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, batchnorm_forward, norm, training, x, y, scratch);
}

int df_cuda_batchnorm_backward(struct df_backend *backend, const struct df_batchnorm *norm, const float *x,
                               const float *y, const float *dy, float *dx, float *dgamma, float *dbeta)
{
    assert(norm->rows > 0 && norm->channels > 0);
    void *scratch = df_cuda_scratch(backend, df_launch_batchnorm_scratch(norm));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, batchnorm_backward, norm, x, y, dy, dx, dgamma, dbeta, scratch);
}
