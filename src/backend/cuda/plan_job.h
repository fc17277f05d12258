/* Plans made beside the work, by a thread of their own. Private to src/backend/cuda.
 *
 * cuDNN's handles are for one thread at a time, so the thread has its own, and what it hands over are the
 * plans' texts. */
#ifndef DINOFT_CUDA_PLAN_JOB_H
#define DINOFT_CUDA_PLAN_JOB_H

#include "attention_graph.h"
#include "cuda_context.h"

struct df_plan_job;

/* Begins to make the plans that df_attention_make_plans() makes. To be waited for before the context closes
 * cuDNN. NULL with the error set. */
struct df_plan_job *df_plan_job_start(const struct df_cuda_context *context,
                                      const struct df_attention_problem *problem, int candidate);

/* Waits for the job, and frees it: texts [DF_ATTENTION_CANDIDATES] are the caller's to free. */
void df_plan_job_wait(struct df_plan_job *job, struct df_cudnn_text *texts);

#endif
