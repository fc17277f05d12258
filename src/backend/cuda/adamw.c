#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_adamw(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                  const float *gradient, float *m, float *v, int64_t count)
{
    if (count == 0)
        return 0;
    return DF_LAUNCH_ON(backend, adamw, settings, parameter, gradient, m, v, count);
}
