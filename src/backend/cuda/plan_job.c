#include "plan_job.h"

#include "cuda_check.h"

#include "dinoft/error.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct df_plan_job {
    const struct df_cudnn *cudnn;
    struct df_attention_problem problem;
    int candidate, device;
    bool beside; /* there is a thread; else the work is done when it is waited for */
    pthread_t thread;
    struct df_cudnn_text texts[DF_ATTENTION_CANDIDATES];
};

static void *make(void *user)
{
    struct df_plan_job *job = user;
    cudnnHandle_t handle;

    if (cudaSetDevice(job->device) != cudaSuccess || job->cudnn->cudnnCreate(&handle) != CUDNN_STATUS_SUCCESS)
        return NULL;
    df_attention_make_plans(job->cudnn, handle, &job->problem, job->candidate, job->texts);
    (void)job->cudnn->cudnnDestroy(handle);
    return NULL;
}

/* Signals are for the program's other threads. */
static bool start_thread(struct df_plan_job *job)
{
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t blocked, before;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const bool started = pthread_create(&job->thread, NULL, make, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct df_plan_job *df_plan_job_start(const struct df_cudnn *cudnn,
                                      const struct df_attention_problem *problem, int candidate)
{
    struct df_plan_job *job = calloc(1, sizeof *job);

    if (!job) {
        df_error_memory("a plan of cuDNN's", sizeof *job);
        return NULL;
    }
    job->cudnn = cudnn;
    job->problem = *problem;
    job->candidate = candidate;
    if (DF_CUDA(cudaGetDevice(&job->device)) != 0) {
        free(job);
        return NULL;
    }
    job->beside = start_thread(job);
    return job;
}

void df_plan_job_wait(struct df_plan_job *job, struct df_cudnn_text *texts)
{
    if (job->beside)
        (void)pthread_join(job->thread, NULL);
    else
        (void)make(job);
    memcpy(texts, job->texts, sizeof job->texts);
    free(job);
}
