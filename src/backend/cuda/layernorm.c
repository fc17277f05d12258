#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

static void check_rows(struct df_token_rows rows, int64_t dim)
{
    assert(rows.first >= 0 && rows.first + rows.rows <= rows.tokens && dim > 0);
    (void)rows;
    (void)dim;
}

int df_cuda_layernorm_forward(struct df_backend *backend, const float *x, struct df_token_rows rows,
                              int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                              enum df_dtype type, float *mean, float *rstd)
{
    check_rows(rows, dim);
    assert(type == DF_F32 || type == DF_BF16);
    assert(!mean == !rstd);
    if (rows.batch * rows.rows == 0)
        return 0;
    return DF_LAUNCH_ON(backend, layernorm_forward, x, rows, dim, gamma, beta, eps, y, type, mean, rstd);
}

int df_cuda_layernorm_backward(struct df_backend *backend, const void *dy, enum df_dtype type, const float *x,
                               struct df_token_rows rows, int64_t dim, const float *gamma, const float *mean,
                               const float *rstd, float *dx)
{
    check_rows(rows, dim);
    assert(type == DF_F32 || type == DF_BF16);
    if (rows.batch * rows.rows == 0)
        return 0;
    return DF_LAUNCH_ON(backend, layernorm_backward, dy, type, x, rows, dim, gamma, mean, rstd, dx);
}
