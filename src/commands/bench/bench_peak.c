#include "bench_peak.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/work.h"

#include <stdlib.h>

/* Each shape is timed for so long, and so often at least, after a first time that does not count. */
#define SECONDS_EACH  0.2
#define LEAST_REPEATS 3

/* Shapes of which one product would take longer are left out. */
#define SECONDS_MOST 0.25

/* Where products are done after the call has returned, as many are timed together as take so long: starting
 * them and waiting for them must not count for much. */
#define SECONDS_TOGETHER 0.002
#define MOST_TOGETHER    1024

/* y [rows, out] = x [rows, in] * weight^T. Which shape is the fastest depends on the machine: a few cores
 * with matrix units want both factors in their caches, many cores want enough work for all of them. */
struct product {
    int64_t rows, in, out;
};

static const struct product products[] = {
    {512, 512, 512}, {1024, 512, 1024}, {2048, 512, 2048}, {2048, 1024, 4096}, {8192, 2048, 8192},
};

static struct df_matrix factor(const struct df_backend *backend, const struct product *product, void *x)
{
    return (struct df_matrix){x, backend->compute, product->rows, product->in, product->in};
}

static struct df_matrix result(const struct df_backend *backend, const struct product *product, void *y)
{
    return (struct df_matrix){y, backend->compute, product->rows, product->out, product->out};
}

static double flops_of(struct df_backend *backend, const struct product *product)
{
    const struct df_matrix x = factor(backend, product, NULL), y = result(backend, product, NULL);
    return df_work_linear_forward(backend, NULL, x, y, NULL).flops;
}

/* count random numbers of the compute type on the device: processors run faster on zeros. NULL with the error
 * set. */
static void *random_act(struct df_backend *backend, const float *values, int64_t count)
{
    void *act = backend->ops->alloc(backend, (size_t)count * df_dtype_size(backend->compute));
    float *wide = backend->ops->alloc(backend, (size_t)count * sizeof *wide);

    if (act && wide && backend->ops->upload(backend, wide, values, (size_t)count * sizeof *wide) == 0 &&
        backend->ops->convert(backend, wide, DF_F32, act, backend->compute, count) == 0) {
        backend->ops->free(backend, wide);
        return act;
    }
    backend->ops->free(backend, wide);
    backend->ops->free(backend, act);
    return NULL;
}

static int time_product(struct df_backend *backend, const struct product *product,
                        const struct df_linear *linear, void *x, void *y, double *peak)
{
    const struct df_matrix from = factor(backend, product, x), to = result(backend, product, y);
    const double flops = flops_of(backend, product);
    const bool returns_early = backend->enqueues;
    double begun = 0.0, ended = 0.0;
    int together = 1;

    for (int i = 0; i <= LEAST_REPEATS || ended - begun < SECONDS_EACH; i++) {
        const double started = df_seconds();
        for (int j = 0; j < together; j++)
            DF_TRY(backend->ops->linear_forward(backend, linear, from, to, NULL));
        DF_TRY(backend->ops->wait(backend));
        ended = df_seconds();
        if (i == 0)
            begun = ended;
        else if (returns_early && ended - started < SECONDS_TOGETHER && together < MOST_TOGETHER)
            together *= 2;
        else if (ended > started && together * flops / (ended - started) > *peak)
            *peak = together * flops / (ended - started);
    }
    return 0;
}

/* values: random ones, as many as the larger of the two factors has. */
static int measure_product(struct df_backend *backend, const struct product *product, const float *values,
                           double *peak)
{
    const size_t results = (size_t)(product->rows * product->out);
    void *x = random_act(backend, values, product->rows * product->in);
    void *y = backend->ops->alloc(backend, results * df_dtype_size(backend->compute));
    struct df_linear *linear = x && y ? backend->ops->linear_create(backend, values, NULL, product->out,
                                                                    product->in, product->rows, false)
                                      : NULL;
    const int status = linear ? time_product(backend, product, linear, x, y, peak) : -1;

    if (linear)
        backend->ops->linear_free(backend, linear);
    backend->ops->free(backend, x);
    backend->ops->free(backend, y);
    return status;
}

int bench_measure_peak(struct df_backend *backend, double *peak)
{
    const size_t n_products = sizeof products / sizeof products[0];
    const struct product *largest = &products[n_products - 1];
    const int64_t count = largest->in * (largest->rows > largest->out ? largest->rows : largest->out);
    float *values = malloc((size_t)count * sizeof *values);
    struct df_rng rng;
    int status = 0;

    if (!values)
        return df_error_memory("random numbers", (unsigned long long)count * sizeof *values);
    df_rng_seed(&rng, 0, df_hash_text("peak"));
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)df_rng_uniform(&rng, -1.0, 1.0);
    for (size_t i = 0; i < n_products && status == 0; i++) {
        if (*peak == 0.0 || flops_of(backend, &products[i]) <= SECONDS_MOST * *peak)
            status = measure_product(backend, &products[i], values, peak);
    }
    free(values);
    return status;
}
