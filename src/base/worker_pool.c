#include "dinoft/worker_pool.h"

#include "dinoft/size.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The lock guards all that is here, and the sets. */
struct df_worker_pool {
    pthread_mutex_t lock;
    pthread_cond_t work_changed; /* there are jobs, or it is time to go */
    pthread_cond_t job_ended;
    struct df_job_set *queue; /* the sets with jobs that may begin, in their order */
    int busy;                 /* threads that do a job */
    bool closing;
    int n_threads;
    pthread_t threads[];
};

int df_cores(void)
{
    return (int)df_min_i64(df_max_i64(sysconf(_SC_NPROCESSORS_ONLN), 1), INT_MAX);
}

static void enter_queue(struct df_worker_pool *pool, struct df_job_set *set)
{
    struct df_job_set **end = &pool->queue;

    while (*end)
        end = &(*end)->behind;
    *end = set;
}

static void leave_queue(struct df_worker_pool *pool, const struct df_job_set *set)
{
    struct df_job_set **at = &pool->queue;

    while (*at && *at != set)
        at = &(*at)->behind;
    if (*at)
        *at = set->behind;
}

static bool has_ended(const struct df_job_set *set)
{
    return set->begun == set->limit && set->running == 0;
}

/* No more of the set's jobs begin; whether any would have. */
static bool cut_short(struct df_worker_pool *pool, struct df_job_set *set)
{
    const bool any = set->begun < set->limit;

    set->limit = set->begun;
    leave_queue(pool, set);
    return any;
}

static void note_failure(struct df_worker_pool *pool, struct df_job_set *set, int64_t number)
{
    cut_short(pool, set);
    if (set->failed >= 0 && set->failed < number)
        return;
    set->failed = number;
    df_error_keep(&set->error);
}

/* The queue's next job, with the lock held, which is released meanwhile. */
static void do_job(struct df_worker_pool *pool)
{
    struct df_job_set *set = pool->queue;
    const int64_t number = set->begun++;

    if (set->begun == set->limit)
        leave_queue(pool, set);
    set->running++;
    pool->busy++;
    pthread_mutex_unlock(&pool->lock);
    const int status = set->job(set->context, number);
    pthread_mutex_lock(&pool->lock);
    pool->busy--;
    set->running--;
    if (status == 0)
        set->done++;
    else
        note_failure(pool, set, number);
    pthread_cond_broadcast(&pool->job_ended);
}

static void *work(void *argument)
{
    struct df_worker_pool *pool = argument;

    pthread_mutex_lock(&pool->lock);
    while (!pool->closing) {
        if (pool->queue)
            do_job(pool);
        else
            pthread_cond_wait(&pool->work_changed, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* 0, or why there are fewer threads than asked for. New threads block the signals that the one has which
 * makes them: all, but for a thread's own faults, of which a handler may know what to say. */
static int start(struct df_worker_pool *pool, int threads)
{
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t blocked, before;
    int reason = 0;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    while (reason == 0 && pool->n_threads < threads) {
        reason = pthread_create(&pool->threads[pool->n_threads], NULL, work, pool);
        pool->n_threads += reason == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason;
}

struct df_worker_pool *df_worker_pool_open(int threads, int least)
{
    assert(1 <= least && least <= threads);
    const size_t bytes = sizeof(struct df_worker_pool) + (size_t)threads * sizeof(pthread_t);
    struct df_worker_pool *pool = calloc(1, bytes);

    if (!pool) {
        df_error_memory("threads", bytes);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_changed, NULL);
    pthread_cond_init(&pool->job_ended, NULL);
    const int reason = start(pool, threads);
    if (pool->n_threads >= least)
        return pool;
    df_error_set("cannot start thread %d of %d: %s", pool->n_threads + 1, threads, strerror(reason));
    df_worker_pool_close(pool);
    return NULL;
}

void df_worker_pool_close(struct df_worker_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work_changed);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->job_ended);
    pthread_cond_destroy(&pool->work_changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void df_worker_pool_submit(struct df_worker_pool *pool, struct df_job_set *set, df_job_function *job,
                           void *context, int64_t count)
{
    pthread_mutex_lock(&pool->lock);
    *set = (struct df_job_set){.job = job, .context = context, .count = count, .limit = count, .failed = -1};
    if (count > 0)
        enter_queue(pool, set);
    pthread_cond_broadcast(&pool->work_changed);
    pthread_mutex_unlock(&pool->lock);
}

int df_worker_pool_wait(struct df_worker_pool *pool, struct df_job_set *set)
{
    pthread_mutex_lock(&pool->lock);
    while (!has_ended(set))
        pthread_cond_wait(&pool->job_ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return set->failed < 0 ? 0 : df_error_again(&set->error);
}

bool df_worker_pool_watch(struct df_worker_pool *pool, const struct df_job_set *set, int64_t *done)
{
    pthread_mutex_lock(&pool->lock);
    while (!has_ended(set) && set->done <= *done)
        pthread_cond_wait(&pool->job_ended, &pool->lock);
    *done = set->done;
    const bool more = !has_ended(set);
    pthread_mutex_unlock(&pool->lock);
    return more;
}

bool df_worker_pool_succeeded(struct df_worker_pool *pool, const struct df_job_set *set)
{
    pthread_mutex_lock(&pool->lock);
    const bool succeeded = set->done == set->count;
    pthread_mutex_unlock(&pool->lock);
    return succeeded;
}

bool df_worker_pool_drop(struct df_worker_pool *pool, struct df_job_set *set)
{
    pthread_mutex_lock(&pool->lock);
    const bool any = cut_short(pool, set);
    pthread_mutex_unlock(&pool->lock);
    return any;
}

void df_worker_pool_drop_all(struct df_worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->queue)
        cut_short(pool, pool->queue);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->job_ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
