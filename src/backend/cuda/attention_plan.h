/* The algorithms for one problem of attention: our own kernel and cuDNN's plans. Private to
 * src/backend/cuda. */
#ifndef DINOFT_CUDA_ATTENTION_PLAN_H
#define DINOFT_CUDA_ATTENTION_PLAN_H

#include "attention_graph.h"
#include "cuda_context.h"
#include "cudnn_plan.h"

/* The algorithms: our own kernel, or the plan of candidate algorithm - 1. */
#define DF_ATTENTION_OWN        0
#define DF_ATTENTION_ALGORITHMS (1 + DF_ATTENTION_CANDIDATES)

struct df_attention_choices {
    struct df_attention_problem problem;
    struct df_cudnn_plan plans[DF_ATTENTION_CANDIDATES]; /* all zero: there is none */
};

/* From its text. A plan that wants too much memory is none, but true all the same. */
bool df_attention_plan_read(struct df_attention_choices *choices, struct df_cuda_context *context,
                            int candidate, const struct df_cudnn_text *text);

/* Closes all plans but that of an algorithm. */
void df_attention_plans_drop(struct df_attention_choices *choices, const struct df_cudnn *cudnn, int but);

/* Bytes of scratch memory for a plan's run. */
size_t df_attention_plan_scratch(const struct df_attention_choices *choices, int algorithm);

/* Enqueues a run in bfloat16. A gradient's has all three parts. */
bool df_attention_run(struct df_backend *backend, const struct df_attention_choices *choices, int algorithm,
                      const struct df_attention_arrays *arrays);

/* attention_trial.c: compares the plans' results with our kernel's, on the arrays of a call, and times those
 * that are right. Returns the fastest algorithm; with `one` the first plan that is right, untimed; -1 where
 * no plan is, or nothing could be found out. Waits for the device. The call's results are overwritten. */
int df_attention_try(struct df_backend *backend, const struct df_attention_choices *choices,
                     const struct df_attention_arrays *arrays, bool one);

#endif
