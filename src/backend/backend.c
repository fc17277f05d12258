#include "dinoft/backend.h"

#include "backend_facts.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/worker_pool.h"

#include <stdlib.h>

struct df_backend_opening {
    enum df_device_choice device;
    enum df_precision precision;
    int threads;
    struct df_worker_pool *pool; /* a thread that opens the GPU; NULL: none does */
    struct df_job_set job;
    struct df_backend *gpu; /* NULL: the CPU is taken */
    enum df_cuda_presence presence;
    int status;
    struct df_error error; /* of the status, or why the GPU is left alone */
};

enum df_dtype df_backend_auto_compute(bool cuda)
{
    return cuda || df_cpu_bf16_is_native() ? DF_BF16 : DF_F32;
}

static enum df_dtype choose_compute(const struct df_backend_opening *opening, bool cuda)
{
    return opening->precision == DF_PRECISION_AUTO   ? df_backend_auto_compute(cuda)
           : opening->precision == DF_PRECISION_BF16 ? DF_BF16
                                                     : DF_F32;
}

/* By whichever thread: `number` is a job's. */
static int open_gpu(void *user, int64_t number)
{
    struct df_backend_opening *opening = user;
    const enum df_device_choice device = opening->device;
    const int gpu = device > DF_DEVICE_CUDA_N ? (int)(device - DF_DEVICE_CUDA_N) : 0;

    (void)number;
    opening->presence = device == DF_DEVICE_AUTO  ? df_cuda_presence()
                        : device == DF_DEVICE_CPU ? DF_CUDA_ABSENT
                                                  : DF_CUDA_READY;
    if (opening->presence == DF_CUDA_READY) {
        opening->gpu = df_cuda_backend_open(gpu, choose_compute(opening, true), opening->threads);
        opening->status = opening->gpu ? 0 : -1;
    }
    df_error_keep(&opening->error);
    return 0; /* what failed is told by who takes the backend */
}

/* After the GPU: the backend, which is the calling thread's. */
static struct df_backend *take(struct df_backend_opening *opening)
{
    struct df_backend *gpu = opening->gpu;

    if (opening->status != 0) {
        df_error_again(&opening->error);
        return NULL;
    }
    if (opening->presence == DF_CUDA_UNUSABLE)
        df_log("warning: the GPU is left alone: %s", opening->error.text);
    if (!gpu)
        return df_cpu_backend_open(choose_compute(opening, false), opening->threads);
    if (df_cuda_backend_take(gpu) == 0)
        return gpu;
    df_backend_close(gpu);
    return NULL;
}

struct df_backend *df_backend_open(enum df_device_choice device, enum df_precision precision, int threads)
{
    struct df_backend_opening opening = {.device = device, .precision = precision, .threads = threads};

    (void)open_gpu(&opening, 0);
    return take(&opening);
}

struct df_backend_opening *df_backend_begin(enum df_device_choice device, enum df_precision precision,
                                            int threads)
{
    struct df_backend_opening *opening = calloc(1, sizeof *opening);

    if (!opening) {
        df_error_memory("a backend", sizeof *opening);
        return NULL;
    }
    opening->device = device;
    opening->precision = precision;
    opening->threads = threads;
    opening->pool = device == DF_DEVICE_CPU ? NULL : df_worker_pool_open(1, 1);
    if (opening->pool)
        df_worker_pool_submit(opening->pool, &opening->job, open_gpu, opening, 1);
    return opening;
}

bool df_backend_is_opening(struct df_backend_opening *opening)
{
    return opening->pool && !df_worker_pool_succeeded(opening->pool, &opening->job);
}

struct df_backend *df_backend_end(struct df_backend_opening *opening)
{
    if (opening->pool)
        (void)df_worker_pool_wait(opening->pool, &opening->job);
    else
        (void)open_gpu(opening, 0);
    struct df_backend *backend = take(opening);
    df_worker_pool_close(opening->pool);
    free(opening);
    return backend;
}

void df_backend_cancel(struct df_backend_opening *opening)
{
    df_worker_pool_close(opening->pool);
    if (opening->gpu)
        (void)df_cuda_backend_take(opening->gpu);
    df_backend_close(opening->gpu);
    free(opening);
}

void df_backend_close(struct df_backend *backend)
{
    if (backend)
        backend->ops->close(backend);
}
