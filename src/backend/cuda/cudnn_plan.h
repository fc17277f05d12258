/* A plan of cuDNN's, ready to run. Private to src/backend/cuda. */
#ifndef DINOFT_CUDA_CUDNN_PLAN_H
#define DINOFT_CUDA_CUDNN_PLAN_H

#include "cudnn_graph.h"

/* All zero: there is none. */
struct df_cudnn_plan {
    cudnnBackendDescriptor_t descriptor;
    size_t workspace; /* bytes */
};

/* From its text (df_cudnn_graph_plan()), which takes milliseconds: the kernel is in it. The text has to be
 * one that cuDNN wrote; -1 with the error set for one that this version, or this device, does not take. */
int df_cudnn_plan_read(struct df_cudnn_plan *plan, const struct df_cudnn *cudnn, cudnnHandle_t handle,
                       const struct df_cudnn_text *text);
void df_cudnn_plan_close(struct df_cudnn_plan *plan, const struct df_cudnn *cudnn);

/* Enqueues a run on the handle's stream. names and pointers [count] say where the graph's tensors are. */
int df_cudnn_plan_run(const struct df_cudnn_plan *plan, const struct df_cudnn *cudnn, cudnnHandle_t handle,
                      int count, const int64_t *names, void *const *pointers, void *workspace);

#endif
