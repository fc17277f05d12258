#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_scale_columns(struct df_backend *backend, struct df_matrix x, const float *factors,
                          const float *bias, const void *residual, struct df_matrix y)
{
    assert(x.rows == y.rows && x.cols == y.cols);
    return DF_LAUNCH_ON(backend, scale_columns, x, factors, bias, residual, y);
}

int df_cuda_dora_factors(struct df_backend *backend, const struct df_dora_rows *rows, float *factors,
                         float *excess, float *b_factors)
{
    return DF_LAUNCH_ON(backend, dora_factors, rows, factors, excess, b_factors);
}

int df_cuda_dora_gradient(struct df_backend *backend, struct df_matrix dy, struct df_matrix y,
                          const float *bias, const void *residual, const float *magnitude, float *gradient)
{
    assert(dy.rows == y.rows && dy.cols == y.cols);
    void *scratch = df_cuda_scratch(backend, df_launch_dora_gradient_scratch(dy));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, dora_gradient, dy, y, bias, residual, magnitude, gradient, scratch);
}
