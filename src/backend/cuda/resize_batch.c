#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

int df_cuda_resize_batch(struct df_backend *backend, const struct df_packed_batch *batch, float *image,
                         uint8_t *labels)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cuda_batches *batches = &context->batches;

    DF_TRY(DF_CUDA(cudaStreamWaitEvent(context->stream, batches->arrived, 0)));
    DF_TRY(
        DF_CUDA(df_launch_resize_normalize(context->stream, batch->block, batch->images, image, batch->count,
                                           batch->height, batch->width, batch->mean, batch->std)));
    DF_TRY(DF_CUDA(df_launch_resize_labels(context->stream, batch->block, batch->masks, labels, batch->count,
                                           batch->height, batch->width)));
    DF_TRY(DF_CUDA(cudaEventRecord(batches->resized, context->stream)));
    return DF_CUDA(cudaStreamWaitEvent(batches->stream, batches->resized, 0));
}
