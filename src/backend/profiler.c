#include "profiler.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/median.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 32

/* One operation at one shape, over all steps. */
struct row {
    const char *operation;
    char shape[DF_PROFILE_SHAPE_MAX];
    int64_t calls;
    struct profiled_work work;
    double *seconds; /* [max_steps], of all calls of a step */
};

struct profiler {
    struct df_backend backend; /* first: its address is the profiler's */
    struct df_backend *inner;
    int64_t max_steps, steps;
    bool in_step;
    int status; /* -1: a row is missing */
    double started;
    double *seconds, *outside; /* [max_steps] */
    struct row *rows;
    size_t n_rows, capacity;
};

static struct profiler *profiler_of(struct df_backend *backend)
{
    return (struct profiler *)backend;
}

struct df_backend *df_profiler_inner(struct df_backend *profiler)
{
    return profiler_of(profiler)->inner;
}

static void free_profiler(struct profiler *profiler)
{
    for (size_t i = 0; i < profiler->n_rows; i++)
        free(profiler->rows[i].seconds);
    free(profiler->rows);
    free(profiler->seconds);
    free(profiler->outside);
    free(profiler);
}

struct df_backend *df_profiler_create(struct df_backend *backend, const struct df_backend_ops *ops,
                                      int64_t max_steps)
{
    struct profiler *profiler = calloc(1, sizeof *profiler);

    assert(max_steps > 0);
    if (!profiler)
        goto failed;
    profiler->backend = *backend;
    profiler->backend.ops = ops;
    profiler->inner = backend;
    profiler->max_steps = max_steps;
    profiler->seconds = calloc((size_t)max_steps, sizeof *profiler->seconds);
    profiler->outside = calloc((size_t)max_steps, sizeof *profiler->outside);
    if (profiler->seconds && profiler->outside)
        return &profiler->backend;
    free_profiler(profiler);
failed:
    df_error_memory("the profiler", 2 * (unsigned long long)max_steps * sizeof(double));
    return NULL;
}

void df_profiler_close(struct df_backend *backend)
{
    df_backend_close(profiler_of(backend)->inner);
    free_profiler(profiler_of(backend));
}

void df_profiler_begin_step(struct df_backend *backend)
{
    struct profiler *profiler = profiler_of(backend);

    assert(!profiler->in_step && profiler->steps < profiler->max_steps);
    profiler->in_step = true;
    profiler->started = df_seconds();
}

int df_profiler_end_step(struct df_backend *backend)
{
    struct profiler *profiler = profiler_of(backend);
    const double seconds = df_seconds() - profiler->started;
    double inside = 0.0;

    assert(profiler->in_step);
    for (size_t i = 0; i < profiler->n_rows; i++)
        inside += profiler->rows[i].seconds[profiler->steps];
    profiler->seconds[profiler->steps] = seconds;
    profiler->outside[profiler->steps] = seconds - inside;
    profiler->in_step = false;
    profiler->steps++;
    if (profiler->status != 0)
        return df_error_set("out of memory: a row of the profile");
    return 0;
}

struct profiled_call df_profiler_enter(struct df_backend *backend, struct profiled_work work,
                                       const char *format, ...)
{
    struct profiled_call call = {.inner = profiler_of(backend)->inner, .work = work};

    if (!profiler_of(backend)->in_step)
        return call;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call.shape, sizeof call.shape, format, arguments);
    va_end(arguments);
    call.started = df_seconds();
    return call;
}

static bool grow(struct profiler *profiler)
{
    const size_t capacity = profiler->capacity ? 2 * profiler->capacity : FIRST_ROWS;
    struct row *rows = realloc(profiler->rows, capacity * sizeof *rows);

    if (!rows)
        return false;
    profiler->rows = rows;
    profiler->capacity = capacity;
    return true;
}

/* The row of this operation and shape, a new one if there is none; NULL when out of memory. */
static struct row *find_row(struct profiler *profiler, const char *operation, const char *shape)
{
    for (size_t i = 0; i < profiler->n_rows; i++) {
        if (!strcmp(profiler->rows[i].operation, operation) && !strcmp(profiler->rows[i].shape, shape))
            return &profiler->rows[i];
    }
    if (profiler->n_rows == profiler->capacity && !grow(profiler))
        return NULL;
    struct row *row = &profiler->rows[profiler->n_rows];
    *row = (struct row){.operation = operation,
                        .seconds = calloc((size_t)profiler->max_steps, sizeof *row->seconds)};
    if (!row->seconds)
        return NULL;
    snprintf(row->shape, sizeof row->shape, "%s", shape);
    profiler->n_rows++;
    return row;
}

int df_profiler_leave(struct df_backend *backend, const struct profiled_call *call, const char *operation,
                      int status)
{
    struct profiler *profiler = profiler_of(backend);

    if (!profiler->in_step)
        return status;
    if (status == 0)
        status = call->inner->ops->wait(call->inner); /* until then there is nothing to time */
    const double ended = df_seconds();
    struct row *row = find_row(profiler, operation, call->shape);
    if (!row) {
        profiler->status = -1; /* the operation itself did not fail; the end of the step tells */
        return status;
    }
    row->calls++;
    row->work.flops += call->work.flops;
    row->work.bytes += call->work.bytes;
    row->seconds[profiler->steps] += ended - call->started;
    return status;
}

static int compare_rows(const void *a, const void *b)
{
    const struct df_profile_row *first = a, *second = b;
    return (first->seconds < second->seconds) - (first->seconds > second->seconds);
}

int df_profiler_result(struct df_backend *backend, struct df_profile *profile)
{
    const struct profiler *profiler = profiler_of(backend);
    const size_t steps = (size_t)profiler->steps;

    assert(steps > 0 && !profiler->in_step);
    *profile = (struct df_profile){.steps = profiler->steps, .n_rows = profiler->n_rows};
    profile->rows = calloc(profiler->n_rows + 1, sizeof *profile->rows);
    if (!profile->rows)
        return df_error_memory("the profile", (profiler->n_rows + 1ULL) * sizeof *profile->rows);
    for (size_t i = 0; i < profiler->n_rows; i++) {
        const struct row *row = &profiler->rows[i];
        profile->rows[i] = (struct df_profile_row){
            .operation = row->operation,
            .calls = (double)row->calls / (double)steps,
            .seconds = df_median(row->seconds, steps),
            .flops = row->work.flops / (double)steps,
            .bytes = row->work.bytes / (double)steps,
        };
        snprintf(profile->rows[i].shape, sizeof profile->rows[i].shape, "%s", row->shape);
    }
    qsort(profile->rows, profile->n_rows, sizeof *profile->rows, compare_rows);
    profile->seconds = df_median(profiler->seconds, steps);
    profile->outside = df_median(profiler->outside, steps);
    return 0;
}

void df_profile_free(struct df_profile *profile)
{
    free(profile->rows);
    *profile = (struct df_profile){0};
}
