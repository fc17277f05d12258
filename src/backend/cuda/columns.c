#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_column_sum(struct df_backend *backend, struct df_matrix x, float *out)
{
    assert(x.type == DF_F32 || x.type == DF_BF16);
    if (x.cols == 0)
        return 0;
    if (x.rows == 0)
        return df_cuda_zero(backend, out, (size_t)x.cols * sizeof *out);
    void *scratch = df_cuda_scratch(backend, df_launch_column_sum_scratch(x));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, column_sum, x, out, scratch);
}

int df_cuda_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias)
{
    assert(x.type == DF_F32);
    if (x.rows * x.cols == 0)
        return 0;
    return DF_LAUNCH_ON(backend, add_bias, x, bias);
}
