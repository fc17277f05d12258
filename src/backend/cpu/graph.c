#include "cpu_backend.h"

/* Calling operations is all there is to running them here: a graph would gain nothing. */
int df_cpu_graph_replay(struct df_backend *backend, struct df_graph **graph, df_backend_work *work,
                        void *argument)
{
    (void)backend;
    (void)graph;
    return work(argument);
}

void df_cpu_graph_free(struct df_backend *backend, struct df_graph *graph)
{
    (void)backend;
    (void)graph;
}
