/* A backend that only adds up what its operations would have to do. */
#include "dinoft/work.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

struct tally {
    struct df_backend backend; /* first: its address is the tally's */
    struct df_work total;
    _Alignas(64) char nowhere[64];
};

static int add(struct df_backend *backend, struct df_work work)
{
    struct tally *tally = (struct tally *)backend;

    work.flops += tally->total.flops;
    work.bytes += tally->total.bytes;
    tally->total = work;
    return 0;
}

#define DF_OPERATION(name, parameters, arguments)                                                            \
    static int tally_##name parameters                                                                       \
    {                                                                                                        \
        return add(backend, df_work_##name arguments);                                                       \
    }
#include "dinoft/operation_list.h"

static void tally_close(struct df_backend *backend)
{
    free(backend);
}

/* An address that nothing is read from or written to. */
static void *tally_alloc(struct df_backend *backend, size_t bytes)
{
    (void)bytes;
    return ((struct tally *)backend)->nowhere;
}

static void tally_free(struct df_backend *backend, void *memory)
{
    (void)backend;
    (void)memory;
}

static int tally_graph_replay(struct df_backend *backend, struct df_graph **graph, df_backend_work *work,
                              void *argument)
{
    (void)backend;
    (void)graph;
    return work(argument);
}

static void tally_graph_free(struct df_backend *backend, struct df_graph *graph)
{
    (void)backend;
    (void)graph;
}

static void tally_linear_free(struct df_backend *backend, struct df_linear *linear)
{
    (void)backend;
    (void)linear;
}

/* Without what makes layers of weights: models for it have none. */
static const struct df_backend_ops tally_ops = {
#define DF_OPERATION(name, parameters, arguments) .name = tally_##name,
#include "dinoft/operation_list.h"
    .close = tally_close,
    .alloc = tally_alloc,
    .free = tally_free,
    .graph_replay = tally_graph_replay,
    .graph_free = tally_graph_free,
    .linear_free = tally_linear_free,
};

struct df_backend *df_tally_open(enum df_dtype compute)
{
    struct tally *tally = aligned_alloc(64, sizeof *tally);

    if (!tally) {
        df_error_memory("the count of operations", sizeof *tally);
        return NULL;
    }
    memset(tally, 0, sizeof *tally);
    tally->backend =
        (struct df_backend){.ops = &tally_ops, .name = "tally", .compute = compute, .threads = 1};
    return &tally->backend;
}

struct df_work df_tally_total(const struct df_backend *tally)
{
    return ((const struct tally *)tally)->total;
}
