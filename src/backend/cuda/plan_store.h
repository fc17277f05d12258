/* cuDNN's plans in files, so that their kernels are compiled once. Private to src/backend/cuda.
 *
 * A file holds one plan, in the autotune cache's folder. Its head says what it is for: library, version,
 * driver, device, the work and a digest of its graph. A file with another head, or whose plan is not the one
 * that was written, by its digest, is as good as none. Files are never needed: a plan is made again. */
#ifndef DINOFT_CUDA_PLAN_STORE_H
#define DINOFT_CUDA_PLAN_STORE_H

#include "attention_graph.h"

struct df_cuda_context;

/* False where there is no such file. The text is the caller's to free. */
bool df_plan_store_read(const struct df_cuda_context *context, const struct df_attention_problem *problem,
                        int candidate, struct df_cudnn_text *text);

/* Whole or not at all, and in place of a file that is there. That it fails is no fault. */
void df_plan_store_write(const struct df_cuda_context *context, const struct df_attention_problem *problem,
                         int candidate, const struct df_cudnn_text *text);

#endif
