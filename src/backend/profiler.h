/* The profiler's books (profiler.c) and its operations (profiler_ops.c). Private to src/backend. */
#ifndef DINOFT_PROFILER_H
#define DINOFT_PROFILER_H

#include "dinoft/profile.h"

/* What a call has to do. */
struct profiled_work {
    double flops, bytes;
};

/* A call under way. */
struct profiled_call {
    struct df_backend *inner; /* the backend that does the work */
    struct profiled_work work;
    double started;
    char shape[DF_PROFILE_SHAPE_MAX];
};

/* A profiler over the backend, with the operations that keep its books. NULL with the error set. */
struct df_backend *df_profiler_create(struct df_backend *backend, const struct df_backend_ops *ops,
                                      int64_t max_steps);

/* The backend below. */
struct df_backend *df_profiler_inner(struct df_backend *profiler);

void df_profiler_close(struct df_backend *profiler);

/* The format and what follows spell the shape. */
struct profiled_call df_profiler_enter(struct df_backend *profiler, struct profiled_work work,
                                       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Returns the status, so that `return df_profiler_leave(…)` reads well. */
int df_profiler_leave(struct df_backend *profiler, const struct profiled_call *call, const char *operation,
                      int status);

#endif
