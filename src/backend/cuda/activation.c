#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    if (count == 0)
        return 0;
    return DF_CUDA(df_launch_gelu_forward(df_cuda_context(backend)->stream, x, y, backend->compute, count));
}

int df_cuda_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count)
{
    if (count == 0)
        return 0;
    return DF_CUDA(
        df_launch_gelu_backward(df_cuda_context(backend)->stream, x, dy, dx, backend->compute, count));
}

int df_cuda_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden)
{
    if (rows * hidden == 0)
        return 0;
    return DF_CUDA(
        df_launch_swiglu_forward(df_cuda_context(backend)->stream, x, y, backend->compute, rows, hidden));
}

int df_cuda_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
                            int64_t hidden)
{
    if (rows * hidden == 0)
        return 0;
    return DF_CUDA(df_launch_swiglu_backward(df_cuda_context(backend)->stream, x, dy, dx, backend->compute,
                                             rows, hidden));
}
