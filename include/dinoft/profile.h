/* Where the time of a step goes: a backend that times the operations of another.
 *
 * A profiler is a struct df_backend like any other, so a model runs on it unchanged and computes the same
 * bits. Each of its operations hands the call on to the backend that it was opened over and, within a step,
 * adds the time to a row for the operation and its shape. */
#ifndef DINOFT_PROFILE_H
#define DINOFT_PROFILE_H

#include "dinoft/work.h"

/* One operation at one shape; figures of one step. */
struct df_profile_row {
    const char *operation; /* its name in dinoft/operation_list.h */
    struct df_work work;   /* of all calls */
    double calls;          /* whole, unless steps differ */
    double seconds;        /* of all calls: the median over the steps */
};

struct df_profile {
    /* Freed by df_profile_free. */
    struct df_profile_row *rows; /* the longest first */
    size_t n_rows;
    int64_t steps;
    double seconds; /* of a step, the median */
    double outside; /* of a step, in no operation, the median */
};

/* Opens a profiler over a backend, for at most max_steps steps. Closing it closes the backend too. NULL with
 * the error set, and the backend still open. */
struct df_backend *df_profiler_open(struct df_backend *backend, int64_t max_steps);

/* What is called between the two belongs to the step; nothing else is recorded. -1 with the error set when
 * the memory for the rows did not suffice. */
void df_profiler_begin_step(struct df_backend *profiler);
int df_profiler_end_step(struct df_backend *profiler);

/* The rows of the steps so far, at least one. -1 with the error set when out of memory. */
int df_profiler_result(struct df_backend *profiler, struct df_profile *profile);
void df_profile_free(struct df_profile *profile);

#endif
