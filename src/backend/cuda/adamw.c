#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_adamw(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                  const float *gradient, float *m, float *v, int64_t count)
{
    if (count == 0)
        return 0;
    return DF_CUDA(
        df_launch_adamw(df_cuda_context(backend)->stream, settings, parameter, gradient, m, v, count));
}
