#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_dice(struct df_backend *backend, const struct df_upsample_loss *work, float factor, float *region,
                 float *more)
{
    void *scratch = df_cuda_scratch(backend, df_launch_dice_scratch(work));

    return scratch ? DF_LAUNCH_ON(backend, dice, work, factor, scratch, region, more) : -1;
}
