#include "dinoft/profile.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/median.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 32

/* One operation at one shape, over all steps. */
struct row {
    const char *operation;
    struct df_work work; /* of all calls */
    int64_t calls;
    double *seconds; /* [max_steps], of all calls of a step */
    char algorithm[DF_ALGORITHM_MAX];
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

static struct df_backend *inner_of(struct df_backend *backend)
{
    return profiler_of(backend)->inner;
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
        if (!strcmp(profiler->rows[i].operation, operation) && !strcmp(profiler->rows[i].work.shape, shape))
            return &profiler->rows[i];
    }
    if (profiler->n_rows == profiler->capacity && !grow(profiler))
        return NULL;
    struct row *row = &profiler->rows[profiler->n_rows];
    *row = (struct row){.operation = operation,
                        .seconds = calloc((size_t)profiler->max_steps, sizeof *row->seconds)};
    if (!row->seconds)
        return NULL;
    memcpy(row->work.shape, shape, sizeof row->work.shape);
    profiler->n_rows++;
    return row;
}

/* What the operation returned, after its work is done and in the books. */
static int leave(struct df_backend *backend, const char *operation, const struct df_work *work,
                 double started, int status)
{
    struct profiler *profiler = profiler_of(backend);

    if (status == 0)
        status = profiler->inner->ops->wait(profiler->inner); /* until then there is nothing to time */
    const double ended = df_seconds();
    struct row *row = find_row(profiler, operation, work->shape);
    if (!row) {
        profiler->status = -1; /* the operation itself did not fail; the end of the step tells */
        return status;
    }
    row->calls++;
    row->work.flops += work->flops;
    row->work.bytes += work->bytes;
    memcpy(row->algorithm, profiler->inner->algorithm, sizeof row->algorithm);
    row->seconds[profiler->steps] += ended - started;
    return status;
}

/* Within a step each operation is handed on between two looks at the clock; what only makes ready for work,
 * and each operation outside of a step, is handed on without. */
#define DF_OPERATION(name, parameters, arguments)                                                            \
    static int profile_##name parameters                                                                     \
    {                                                                                                        \
        struct df_backend *const profiler = backend;                                                         \
        if (!profiler_of(profiler)->in_step) {                                                               \
            backend = inner_of(profiler);                                                                    \
            return backend->ops->name arguments;                                                             \
        }                                                                                                    \
        const struct df_work work_of_call = df_work_##name arguments;                                        \
        const double started = df_seconds();                                                                 \
        backend = inner_of(profiler);                                                                        \
        backend->algorithm[0] = '\0';                                                                        \
        return leave(profiler, #name, &work_of_call, started, backend->ops->name arguments);                 \
    }
#define DF_SERVICE(type, name, parameters, arguments)                                                        \
    static type profile_##name parameters                                                                    \
    {                                                                                                        \
        backend = inner_of(backend);                                                                         \
        return backend->ops->name arguments;                                                                 \
    }
#define DF_RELEASE(name, parameters, arguments)                                                              \
    static void profile_##name parameters                                                                    \
    {                                                                                                        \
        backend = inner_of(backend);                                                                         \
        backend->ops->name arguments;                                                                        \
    }
#include "dinoft/operation_list.h"

static void profile_close(struct df_backend *backend)
{
    df_backend_close(inner_of(backend));
    free_profiler(profiler_of(backend));
}

/* Each operation is to be timed, so none is captured. */
static int profile_graph_replay(struct df_backend *backend, struct df_graph **graph, df_backend_work *work,
                                void *argument)
{
    (void)backend;
    (void)graph;
    return work(argument);
}

static const struct df_backend_ops profiler_ops = {
#define DF_ROW(type, name, parameters, arguments) .name = profile_##name,
#include "dinoft/operation_list.h"
};

struct df_backend *df_profiler_open(struct df_backend *backend, int64_t max_steps)
{
    struct profiler *profiler = calloc(1, sizeof *profiler);

    assert(max_steps > 0);
    if (!profiler)
        goto failed;
    profiler->backend = *backend;
    profiler->backend.ops = &profiler_ops;
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
        struct df_profile_row *result = &profile->rows[i];
        *result = (struct df_profile_row){
            .operation = row->operation,
            .work = row->work,
            .calls = (double)row->calls / (double)steps,
            .seconds = df_median(row->seconds, steps),
        };
        result->work.flops /= (double)steps;
        result->work.bytes /= (double)steps;
        memcpy(result->algorithm, row->algorithm, sizeof result->algorithm);
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
