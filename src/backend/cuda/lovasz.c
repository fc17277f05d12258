#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <stdint.h>

int df_cuda_lovasz(struct df_backend *backend, const struct df_upsample_loss *work, float factor,
                   float *slopes, float *gradient, float *more)
{
    if (work->batch * work->height * work->width > INT32_MAX)
        return df_error_set("the Lovasz loss takes batches of at most %" PRId32 " pixels on a GPU",
                            INT32_MAX);
    void *scratch = df_cuda_scratch(backend, df_launch_lovasz_scratch(work));

    return scratch ? DF_LAUNCH_ON(backend, lovasz, work, factor, scratch, slopes, gradient, more) : -1;
}
