#include "jobs.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/progress.h"
#include "dinoft/size.h"

#include <math.h>

/* Shows how far the jobs are until they have ended. Whether Ctrl-C has kept some from it. */
static bool look_on(struct df_worker_pool *pool, struct df_job_set *jobs, struct df_progress *progress,
                    const volatile sig_atomic_t *stop)
{
    bool interrupted = false, more = true;
    int64_t done = 0;

    while (more) {
        more = df_worker_pool_watch(pool, jobs, &done);
        if (*stop && df_worker_pool_drop(pool, jobs))
            interrupted = true;
        if (done > 0)
            df_progress_update(progress, done, done, NAN);
    }
    return interrupted;
}

int jobs_run(const char *label, int64_t count, int64_t threads, df_job_function *job, void *context)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    const int64_t wanted = df_min_i64(threads > 0 ? threads : df_cores(), df_max_i64(count, 1));
    struct df_job_set jobs;

    if (*stop)
        return EXIT_INTERRUPTED;
    /* Fewer threads than asked for do the same. */
    struct df_worker_pool *pool = df_worker_pool_open((int)wanted, 1);
    if (!pool)
        return 1;
    struct df_progress *progress = df_progress_open(stderr, label, count);
    df_worker_pool_submit(pool, &jobs, job, context, count);
    const bool interrupted = look_on(pool, &jobs, progress, stop);
    const int status = df_worker_pool_wait(pool, &jobs);
    df_progress_close(progress);
    df_worker_pool_close(pool);
    return status != 0 ? 1 : interrupted ? EXIT_INTERRUPTED : 0;
}
