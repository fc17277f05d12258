#include "cuda_context.h"

bool df_cuda_have_cudnn(struct df_cuda_context *context)
{
    if (!context->dnn_tried) {
        context->dnn_tried = true;
        context->dnn_usable =
            df_cudnn_open(&context->cudnn) == 0 &&
            context->cudnn.cudnnCreate(&context->dnn) == CUDNN_STATUS_SUCCESS &&
            context->cudnn.cudnnSetStream(context->dnn, context->stream) == CUDNN_STATUS_SUCCESS;
        (void)cudaGetLastError();
    }
    return context->dnn_usable;
}

void df_cuda_cudnn_close(struct df_cuda_context *context)
{
    if (context->dnn)
        (void)context->cudnn.cudnnDestroy(context->dnn);
    context->dnn = NULL;
    context->dnn_usable = false;
}
