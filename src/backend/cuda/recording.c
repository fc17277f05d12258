#include "cuda_backend.h"
#include "cuda_context.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <stdlib.h>

/* A captured graph keeps the addresses that its operations had. All of them are the caller's, and stay, but
 * for the scratch buffer's: when that has moved, the work is captured again. */
struct df_recording {
    cudaGraphExec_t graph; /* NULL: not captured, or no longer valid */
    uint64_t scratch_moves;
    bool plain; /* something in it cannot be captured: it is called each time */
};

void df_cuda_op_recording_free(struct df_backend *backend, struct df_recording *recording)
{
    (void)backend;
    if (!recording)
        return;
    if (recording->graph)
        (void)cudaGraphExecDestroy(recording->graph);
    free(recording);
}

/* Captures what work(argument) enqueues, without running it. */
static int capture(struct df_cuda_context *context, struct df_recording *recording, df_backend_work *work,
                   void *argument)
{
    cudaGraph_t graph = NULL;

    DF_TRY(DF_CUDA(cudaStreamBeginCapture(context->stream, cudaStreamCaptureModeThreadLocal)));
    context->capturing = true;
    int status = work(argument);
    context->capturing = false;
    if (DF_CUDA(cudaStreamEndCapture(context->stream, &graph)) != 0)
        status = -1;
    if (status == 0)
        status = DF_CUDA(cudaGraphInstantiate(&recording->graph, graph, 0));
    if (graph)
        (void)cudaGraphDestroy(graph);
    recording->scratch_moves = context->scratch_moves;
    return status;
}

static void drop_stale_graph(const struct df_cuda_context *context, struct df_recording *recording)
{
    if (!recording->graph || recording->scratch_moves == context->scratch_moves)
        return;
    (void)cudaGraphExecDestroy(recording->graph);
    recording->graph = NULL;
}

/* If it was more than the capture that failed, the work will say so again when it is called. */
static void try_capture(struct df_cuda_context *context, struct df_recording *recording,
                        df_backend_work *work, void *argument)
{
    if (capture(context, recording, work, argument) == 0)
        return;
    (void)cudaGetLastError();
    df_log("the GPU is told of each operation of a step, since it cannot be replayed from a graph: %s",
           df_error_text());
    recording->plain = true;
}

int df_cuda_op_repeat(struct df_backend *backend, struct df_recording **recording, df_backend_work *work,
                      void *argument)
{
    struct df_cuda_context *context = df_cuda_context(backend);

    if (!*recording) { /* the first time libraries choose their algorithms, and the scratch buffer grows */
        *recording = calloc(1, sizeof **recording);
        return *recording ? work(argument) : df_error_memory("a recording", sizeof **recording);
    }
    struct df_recording *known = *recording;
    drop_stale_graph(context, known);
    if (!known->graph && !known->plain)
        try_capture(context, known, work, argument);
    return known->graph ? DF_CUDA(cudaGraphLaunch(known->graph, context->stream)) : work(argument);
}
