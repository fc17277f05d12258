#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_nearest_forward(struct df_backend *backend, const float *x, int64_t batch, int64_t h, int64_t w,
                            float *y, int64_t height, int64_t width, int64_t channels, bool accumulate)
{
    if (batch * height * width * channels == 0)
        return 0;
    return DF_LAUNCH_ON(backend, nearest_forward, x, batch, h, w, y, height, width, channels, accumulate);
}

int df_cuda_nearest_backward(struct df_backend *backend, const float *dy, int64_t batch, int64_t height,
                             int64_t width, float *dx, int64_t h, int64_t w, int64_t channels)
{
    if (batch * h * w * channels == 0)
        return 0;
    return DF_LAUNCH_ON(backend, nearest_backward, dy, batch, height, width, dx, h, w, channels);
}
