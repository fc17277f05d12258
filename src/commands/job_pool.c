#include "job_pool.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/error.h"
#include "dinoft/progress.h"
#include "dinoft/size.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pool {
    job_function *job;
    void *context;
    int64_t count;

    /* Guarded by the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job has ended, or a thread */
    int64_t next;           /* to hand out */
    int64_t finished;       /* without failure */
    int64_t failed;         /* the first job that failed; count: none did */
    bool stopping;          /* no more jobs are handed out */
    int running;            /* threads */
    char error[DF_ERROR_TEXT_MAX];
};

/* Of several jobs that fail the first counts, whatever the threads do. */
static void note_failure(struct pool *pool, int64_t number)
{
    pool->stopping = true;
    if (number > pool->failed)
        return;
    pool->failed = number;
    snprintf(pool->error, sizeof pool->error, "%s", df_error_text());
}

static void *work(void *argument)
{
    struct pool *pool = argument;

    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping && pool->next < pool->count) {
        const int64_t number = pool->next++;
        pthread_mutex_unlock(&pool->lock);
        const int status = pool->job(pool->context, number);
        pthread_mutex_lock(&pool->lock);
        if (status == 0)
            pool->finished++;
        else
            note_failure(pool, number);
        pthread_cond_signal(&pool->changed);
    }
    pool->running--;
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals are for the main thread: the workers block them all. Fewer threads than asked for are no failure,
 * none is. */
static int start(struct pool *pool, pthread_t *threads, int count)
{
    sigset_t all, before;
    int reason = 0, started = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (started < count && (reason = pthread_create(&threads[started], NULL, work, pool)) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started == 0)
        df_error_set("cannot start a thread: %s", strerror(reason));
    return started;
}

/* Shows how far the threads are until the last has ended. */
static bool watch(struct pool *pool, struct df_progress *progress)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    bool interrupted = false;

    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0) {
        pthread_cond_wait(&pool->changed, &pool->lock);
        if (*stop && pool->next < pool->count)
            pool->stopping = interrupted = true;
        if (pool->finished > 0)
            df_progress_update(progress, pool->finished, pool->finished, NAN);
    }
    pthread_mutex_unlock(&pool->lock);
    return interrupted;
}

static int run(struct pool *pool, pthread_t *threads, int count, const char *label)
{
    struct df_progress *progress = df_progress_open(stderr, label, pool->count);
    bool interrupted = false;

    pool->running = count; /* before they start: each takes one off */
    const int started = start(pool, threads, count);
    pthread_mutex_lock(&pool->lock);
    pool->running -= count - started;
    pthread_mutex_unlock(&pool->lock);
    if (started > 0)
        interrupted = watch(pool, progress);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    df_progress_close(progress);
    if (pool->failed < pool->count)
        df_error_set("%s", pool->error);
    return started == 0 || pool->failed < pool->count ? 1 : interrupted ? EXIT_INTERRUPTED : 0;
}

int job_pool_run(const char *label, int64_t count, int64_t threads, job_function *job, void *context)
{
    struct pool pool = {.job = job, .context = context, .count = count, .failed = count};
    const int64_t wanted = threads > 0 ? threads : df_max_i64(sysconf(_SC_NPROCESSORS_ONLN), 1);
    const int n_threads = (int)df_min_i64(wanted, df_max_i64(count, 1));
    pthread_t *handles = calloc((size_t)n_threads, sizeof *handles);

    if (!handles) {
        df_error_memory("threads", (unsigned long long)n_threads * sizeof *handles);
        return 1;
    }
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.changed, NULL);
    const int status = run(&pool, handles, n_threads, label);
    pthread_cond_destroy(&pool.changed);
    pthread_mutex_destroy(&pool.lock);
    free(handles);
    return status;
}
