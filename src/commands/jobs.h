/* Independent pieces of a command's work, on threads. */
#ifndef DINOFT_JOBS_H
#define DINOFT_JOBS_H

#include "dinoft/worker_pool.h"

/* Does the jobs 0 .. count - 1, begun in this order, behind a progress bar. threads: 0 for one a core. The
 * command's exit status: 0; 1 after a failure, with the error of the first job that failed, the others under
 * way having been finished; EXIT_INTERRUPTED after Ctrl-C. */
int jobs_run(const char *label, int64_t count, int64_t threads, df_job_function *job, void *context);

#endif
