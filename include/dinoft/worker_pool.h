/* Threads for the program's own work.
 *
 * The owner of a pool, one thread, hands it sets of jobs and waits for them. Jobs begin in order: sets as
 * they were handed over, those of a set by their numbers. After a failure no more jobs of its set begin;
 * those under way go on. So of several jobs that fail the first is always the same one, whatever the threads
 * do. Signals are left to the program's other threads. */
#ifndef DINOFT_WORKER_POOL_H
#define DINOFT_WORKER_POOL_H

#include "dinoft/error.h"

#include <stdbool.h>
#include <stdint.h>

struct df_worker_pool;

/* Does job `number` of a set; called from several threads at once. 0, or -1 with the error set. */
typedef int df_job_function(void *context, int64_t number);

/* The owner keeps it until its jobs have ended; what is in it is the pool's. */
struct df_job_set {
    df_job_function *job;
    void *context;
    struct df_job_set *behind; /* in the queue */
    int64_t count;
    int64_t limit; /* jobs below this may begin: all, or those that have when the others are dropped */
    int64_t begun; /* of these some run, some are done, and some have failed */
    int64_t running, done;
    int64_t failed; /* the first job that failed, -1 if none did */
    struct df_error error;
};

/* Cores that are online, 1 at least. */
int df_cores(void);

/* Starts threads, which wait for jobs. NULL with the error set if fewer than `least` (1 to threads) can be
 * started. */
struct df_worker_pool *df_worker_pool_open(int threads, int least);

/* Drops all jobs that have not begun, waits for the others and ends the threads. NULL is allowed. */
void df_worker_pool_close(struct df_worker_pool *pool);

/* The jobs 0 .. count - 1 of a set that is new, or whose jobs have ended. */
void df_worker_pool_submit(struct df_worker_pool *pool, struct df_job_set *set, df_job_function *job,
                           void *context, int64_t count);

/* Returns when the set's jobs have ended: 0, also where some were dropped, or -1 with the error of the first
 * that failed. */
int df_worker_pool_wait(struct df_worker_pool *pool, struct df_job_set *set);

/* For who wants to look on: returns when more than *done jobs of the set are done, and writes how many, or
 * when all have ended. Whether there is more to come. */
bool df_worker_pool_watch(struct df_worker_pool *pool, const struct df_job_set *set, int64_t *done);

/* Whether the set's jobs are all done by now. */
bool df_worker_pool_succeeded(struct df_worker_pool *pool, const struct df_job_set *set);

/* Drops those of the set's jobs that have not begun; whether there were any. */
bool df_worker_pool_drop(struct df_worker_pool *pool, struct df_job_set *set);

/* Does so with all sets, and returns when no job is under way. */
void df_worker_pool_drop_all(struct df_worker_pool *pool);

#endif
