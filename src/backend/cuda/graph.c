#include "cuda_backend.h"
#include "cuda_context.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <stdlib.h>

/* A captured graph keeps the addresses that its operations had. All of them are the caller's, and stay, but
 * for the scratch buffer's: when that has moved, the work is captured again. */
struct df_graph {
    cudaGraphExec_t exec; /* NULL: not captured, or no longer valid */
    uint64_t buffer_moves;
    bool plain; /* something in it cannot be captured: it is called each time */
};

void df_cuda_graph_free(struct df_backend *backend, struct df_graph *graph)
{
    (void)backend;
    if (!graph)
        return;
    if (graph->exec)
        (void)cudaGraphExecDestroy(graph->exec);
    free(graph);
}

/* Captures what work(argument) enqueues, without running it. */
static int capture(struct df_cuda_context *context, struct df_graph *graph, df_backend_work *work,
                   void *argument)
{
    cudaGraph_t captured = NULL;

    DF_TRY(DF_CUDA(cudaStreamBeginCapture(context->stream, cudaStreamCaptureModeThreadLocal)));
    context->capturing = true;
    int status = work(argument);
    context->capturing = false;
    if (DF_CUDA(cudaStreamEndCapture(context->stream, &captured)) != 0)
        status = -1;
    if (status == 0)
        status = DF_CUDA(cudaGraphInstantiate(&graph->exec, captured, 0));
    if (captured)
        (void)cudaGraphDestroy(captured);
    graph->buffer_moves = context->buffer_moves;
    return status;
}

static void drop_stale_graph(const struct df_cuda_context *context, struct df_graph *graph)
{
    if (!graph->exec || graph->buffer_moves == context->buffer_moves)
        return;
    (void)cudaGraphExecDestroy(graph->exec);
    graph->exec = NULL;
}

/* If it was more than the capture that failed, the work will say so again when it is called. */
static void try_capture(struct df_cuda_context *context, struct df_graph *graph, df_backend_work *work,
                        void *argument)
{
    if (capture(context, graph, work, argument) == 0)
        return;
    (void)cudaGetLastError();
    df_log("the GPU is told of each operation of a step, since it cannot be replayed from a graph: %s",
           df_error_text());
    graph->plain = true;
}

int df_cuda_graph_replay(struct df_backend *backend, struct df_graph **graph, df_backend_work *work,
                         void *argument)
{
    struct df_cuda_context *context = df_cuda_context(backend);

    if (!*graph) { /* the first time libraries choose their algorithms, and the scratch buffer grows */
        *graph = calloc(1, sizeof **graph);
        return *graph ? work(argument) : df_error_memory("a CUDA graph", sizeof **graph);
    }
    struct df_graph *known = *graph;
    drop_stale_graph(context, known);
    if (!known->exec && !known->plain)
        try_capture(context, known, work, argument);
    return known->exec ? DF_CUDA(cudaGraphLaunch(known->exec, context->stream)) : work(argument);
}
