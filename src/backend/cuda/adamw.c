#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_adamw(struct df_backend *backend, const struct df_adamw_scalars *scalars,
                  const struct df_gradient_scale *scale, float *parameter, const float *gradient, float *m,
                  float *v, int64_t count)
{
    return DF_LAUNCH_ON(backend, adamw, scalars, scale, parameter, gradient, m, v, count);
}
