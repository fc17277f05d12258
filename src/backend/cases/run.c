/* Running cases on a backend. */
#include "dinoft/operation_case.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

#define MOST_REPEATS 1024

/* Memory of the device, or of the host: such as the device reads by itself, if that is not all of it. */
static void *take_memory(struct df_backend *backend, bool on_host, size_t bytes)
{
    return on_host && backend->resizes ? backend->ops->host_alloc(backend, bytes)
                                       : backend->ops->alloc(backend, bytes);
}

static void give_back_memory(struct df_backend *backend, bool on_host, void *memory)
{
    if (on_host && backend->resizes)
        backend->ops->host_free(backend, memory);
    else
        backend->ops->free(backend, memory);
}

/* Puts what the operation reads where it reads it, and NaN where it only writes. */
static int put_tensor(struct df_case_run *run, const struct df_case_tensor *tensor, int number)
{
    struct df_backend *backend = run->backend;
    const enum df_dtype type = df_case_type(tensor, backend);
    const size_t bytes = (size_t)tensor->count * df_dtype_size(type);
    const void *source = tensor->bytes ? (const void *)tensor->bytes : tensor->values;
    void *converted = NULL;
    int status = -1;

    run->on_host[number] = tensor->on_host;
    run->memory[number] = take_memory(backend, tensor->on_host, bytes);
    if (!run->memory[number])
        return -1;
    if (type == DF_BF16 || tensor->role == DF_CASE_OUT) {
        converted = malloc(bytes + 1);
        if (!converted) {
            df_error_memory("a tensor of a case", bytes);
            goto done;
        }
        if (tensor->role == DF_CASE_OUT)
            memset(converted, 0xff, bytes);
        else if (df_convert_from_f32(converted, type, tensor->values, (size_t)tensor->count) != 0)
            goto done;
        source = converted;
    }
    if (!tensor->on_host) {
        status = backend->ops->upload(backend, run->memory[number], source, bytes);
    } else {
        memcpy(run->memory[number], source, bytes);
        status = 0;
    }
done:
    free(converted);
    return status;
}

int df_case_run_open(struct df_case_run *run, const struct df_case *c, struct df_backend *backend)
{
    *run = (struct df_case_run){.backend = backend};
    for (int i = 0; i < c->n_tensors; i++)
        DF_TRY(put_tensor(run, &c->tensors[i], i));
    DF_TRY(backend->ops->wait(backend)); /* what is sent does not wait for uploads */
    if (c->linear_out == 0)
        return 0;
    run->linear = backend->ops->linear_create(backend, c->linear_weight, c->linear_bias, c->linear_out,
                                              c->linear_in, c->linear_rows, true);
    return run->linear ? 0 : -1;
}

void df_case_run_close(struct df_case_run *run)
{
    for (int i = 0; i < DF_CASE_TENSORS; i++)
        give_back_memory(run->backend, run->on_host[i], run->memory[i]);
    run->backend->ops->linear_free(run->backend, run->linear);
}

int df_case_call(const struct df_case *c, struct df_case_run *run)
{
    if (c->set->prepare)
        DF_TRY(c->set->prepare(c, run));
    DF_TRY(c->set->call(c, run));
    return run->backend->ops->wait(run->backend);
}

int df_case_time(const struct df_case *c, struct df_case_run *run, double seconds, double *seconds_of_call)
{
    for (int repeats = 1; repeats <= MOST_REPEATS; repeats *= 2) {
        const double started = df_seconds();
        for (int i = 0; i < repeats; i++)
            DF_TRY(c->set->call(c, run));
        DF_TRY(run->backend->ops->wait(run->backend));
        const double passed = df_seconds() - started;
        *seconds_of_call = passed / repeats;
        if (passed >= seconds)
            break;
    }
    return 0;
}

int df_case_work(const struct df_case *c, struct df_work *work)
{
    struct df_case_run run = {.backend = df_tally_open(c->act)};
    int status = -1;

    if (!run.backend)
        return -1;
    for (int i = 0; i < c->n_tensors; i++) /* never read: what counts is that they are there */
        run.memory[i] = c->tensors[i].bytes ? (void *)c->tensors[i].bytes : c->tensors[i].values;
    status = c->set->call(c, &run);
    *work = df_tally_total(run.backend);
    df_backend_close(run.backend);
    return status;
}
