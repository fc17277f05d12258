#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_hard_pixels(struct df_backend *backend, const struct df_upsample_loss *work, float threshold,
                        int64_t least, uint8_t *hard)
{
    void *scratch = df_cuda_scratch(backend, df_launch_hard_pixels_scratch(work));

    return scratch ? DF_LAUNCH_ON(backend, hard_pixels, work, threshold, least, scratch, hard) : -1;
}
