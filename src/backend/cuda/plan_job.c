#include "plan_job.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

struct df_plan_job {
    const struct df_cuda_context *context; /* of which only what stays as it is is read */
    struct df_attention_problem problem;
    int candidate;
    struct df_worker_pool *pool; /* of one thread; NULL: the work is done when it is waited for */
    struct df_job_set set;
    struct df_cudnn_text texts[DF_ATTENTION_CANDIDATES];
};

static int make(void *user, int64_t number)
{
    struct df_plan_job *job = user;
    const struct df_cudnn *cudnn = &job->context->cudnn;
    cudnnHandle_t handle;

    (void)number;
    if (cudaSetDevice(job->context->gpu) == cudaSuccess &&
        cudnn->cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS) {
        df_attention_make_plans(cudnn, handle, &job->problem, job->candidate, job->texts);
        (void)cudnn->cudnnDestroy(handle);
    }
    return 0;
}

struct df_plan_job *df_plan_job_start(const struct df_cuda_context *context,
                                      const struct df_attention_problem *problem, int candidate)
{
    struct df_plan_job *job = calloc(1, sizeof *job);

    if (!job) {
        df_error_memory("a plan of cuDNN's", sizeof *job);
        return NULL;
    }
    job->context = context;
    job->problem = *problem;
    job->candidate = candidate;
    job->pool = df_worker_pool_open(1, 1);
    if (job->pool)
        df_worker_pool_submit(job->pool, &job->set, make, job, 1);
    return job;
}

void df_plan_job_wait(struct df_plan_job *job, struct df_cudnn_text *texts)
{
    if (job->pool)
        (void)df_worker_pool_wait(job->pool, &job->set);
    else
        (void)make(job, 0);
    df_worker_pool_close(job->pool);
    memcpy(texts, job->texts, sizeof job->texts);
    free(job);
}
