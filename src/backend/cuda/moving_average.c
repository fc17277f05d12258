#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_moving_average(struct df_backend *backend, const float *value, const float *weight,
                           float *average, int64_t count)
{
    return DF_LAUNCH_ON(backend, moving_average, value, weight, average, count);
}
