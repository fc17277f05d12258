#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

#define MAX_CLASSES 255 /* labels are uint8 */

int df_cuda_upsample_loss(struct df_backend *backend, struct df_upsample_loss *work, float *scratch)
{
    const size_t result_bytes = df_cuda_aligned(sizeof(struct df_loss_sum));

    assert(work->classes >= 1 && work->classes <= MAX_CLASSES);
    assert(!work->dlogits || (work->labels && scratch));
    assert(!work->terms || work->dlogits);
    assert(!work->sigmoid_prediction || (work->prediction && !work->dlogits));
    assert(!work->confidence || !work->dlogits);
    char *buffer = df_cuda_scratch(backend, result_bytes + df_launch_upsample_loss_scratch(work));
    if (!buffer)
        return -1;
    struct df_loss_sum *loss = work->on_device ? work->on_device : (struct df_loss_sum *)(void *)buffer;
    DF_TRY(DF_LAUNCH_ON(backend, upsample_loss, work, scratch, buffer + result_bytes, loss));
    return work->on_device ? 0 : df_cuda_download(backend, &work->loss, loss, sizeof work->loss);
}

int df_cuda_upsample_logits(struct df_backend *backend, const float *logits, float *out, int64_t batch,
                            int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width)
{
    assert(classes >= 1 && classes <= MAX_CLASSES);
    if (batch * height * width == 0)
        return 0;
    return DF_LAUNCH_ON(backend, upsample_logits, logits, out, batch, h, w, classes, height, width);
}
