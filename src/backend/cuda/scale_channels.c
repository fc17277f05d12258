#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_scale_channels(struct df_backend *backend, const float *x, const float *factors, int64_t batch,
                           int64_t positions, int64_t channels, float *y)
{
    assert(positions * channels <= INT32_MAX);
    return DF_LAUNCH_ON(backend, scale_channels, x, factors, batch, positions, channels, y);
}
