#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_scale_rows(struct df_backend *backend, const float *x, const float *scale, float *y, int64_t rows,
                       int64_t cols)
{
    if (rows * cols == 0)
        return 0;
    return DF_LAUNCH_ON(backend, scale_rows, x, scale, y, rows, cols);
}
