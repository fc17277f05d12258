#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_add_gradient(struct df_backend *backend, const float *gradient, int64_t count,
                         const struct df_loss_sum *loss, float *sum, struct df_loss_sum *total)
{
    return DF_LAUNCH_ON(backend, add_gradient, gradient, count, loss, sum, total);
}

int df_cuda_gradient_scale(struct df_backend *backend, const float *gradient, int64_t count,
                           const struct df_loss_sum *total, double longest, struct df_gradient_scale *scale)
{
    void *scratch = df_cuda_scratch(backend, df_launch_gradient_scale_scratch(count));

    return scratch ? DF_LAUNCH_ON(backend, gradient_scale, gradient, count, total, longest, scratch, scale)
                   : -1;
}
