#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_image_normalize(struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch,
                            int64_t height, int64_t width, const float mean[3], const float std[3])
{
    if (batch * height * width == 0)
        return 0;
    return DF_LAUNCH_ON(backend, image_normalize, pixels, image, batch, height, width, mean, std);
}

int df_cuda_patchify(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                     int64_t height, int64_t width, int64_t patch)
{
    assert(height % patch == 0 && width % patch == 0);
    if (batch * height * width == 0)
        return 0;
    return DF_LAUNCH_ON(backend, patchify, image, patches, backend->compute, batch, height, width, patch);
}
