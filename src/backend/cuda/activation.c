#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    if (count == 0)
        return 0;
    return DF_LAUNCH_ON(backend, gelu_forward, x, y, backend->compute, count);
}

int df_cuda_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count)
{
    if (count == 0)
        return 0;
    return DF_LAUNCH_ON(backend, gelu_backward, x, dy, dx, backend->compute, count);
}

int df_cuda_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden)
{
    if (rows * hidden == 0)
        return 0;
    return DF_LAUNCH_ON(backend, swiglu_forward, x, y, backend->compute, rows, hidden);
}

int df_cuda_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
                            int64_t hidden)
{
    if (rows * hidden == 0)
        return 0;
    return DF_LAUNCH_ON(backend, swiglu_backward, x, dy, dx, backend->compute, rows, hidden);
}
