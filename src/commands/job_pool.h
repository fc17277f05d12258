/* Independent pieces of a command's work, on threads. */
#ifndef DINOFT_JOB_POOL_H
#define DINOFT_JOB_POOL_H

#include <stdint.h>

/* Does one piece; called from several threads at once. -1 with the error set. */
typedef int job_function(void *context, int64_t number);

/* Does the jobs 0 .. count - 1 in about this order, behind a progress bar. threads: 0 for one a core. The
 * command's exit status: 0; 1 after a failure, with the error of the first job that failed, the others under
 * way having been finished; EXIT_INTERRUPTED after Ctrl-C. */
int job_pool_run(const char *label, int64_t count, int64_t threads, job_function *job, void *context);

#endif
