#include "cuda_context.h"

/* By whichever thread: `number` is a job's. */
static int open_cudnn(void *user, int64_t number)
{
    struct df_cuda_context *context = user;

    (void)number;
    context->dnn_usable = cudaSetDevice(context->gpu) == cudaSuccess && df_cudnn_open(&context->cudnn) == 0 &&
                          context->cudnn.cudnnCreate(&context->dnn) == CUDNN_STATUS_SUCCESS;
    (void)cudaGetLastError();
    return 0;
}

/* Without a thread it is opened when it is asked for. */
void df_cuda_cudnn_begin(struct df_cuda_context *context)
{
    context->dnn_opener = df_worker_pool_open(1, 1);
    if (context->dnn_opener)
        df_worker_pool_submit(context->dnn_opener, &context->dnn_opening, open_cudnn, context, 1);
}

bool df_cuda_have_cudnn(struct df_cuda_context *context)
{
    if (context->dnn_tried)
        return context->dnn_usable;
    context->dnn_tried = true;
    if (context->dnn_opener)
        (void)df_worker_pool_wait(context->dnn_opener, &context->dnn_opening);
    else
        (void)open_cudnn(context, 0);
    df_worker_pool_close(context->dnn_opener);
    context->dnn_opener = NULL;
    context->dnn_usable = context->dnn_usable && context->cudnn.cudnnSetStream(
                                                     context->dnn, context->stream) == CUDNN_STATUS_SUCCESS;
    return context->dnn_usable;
}

void df_cuda_cudnn_close(struct df_cuda_context *context)
{
    df_worker_pool_close(context->dnn_opener);
    context->dnn_opener = NULL;
    if (context->dnn)
        (void)context->cudnn.cudnnDestroy(context->dnn);
    context->dnn = NULL;
    context->dnn_usable = false;
}
