/* What is expected of cases, and how far results are from it. */
#include "dinoft/operation_case.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int expect_buffers(struct df_case *c)
{
    for (int i = 0; i < c->n_tensors; i++) {
        struct df_case_tensor *tensor = &c->tensors[i];
        if (tensor->role == DF_CASE_IN || tensor->expected)
            continue;
        tensor->expected = calloc((size_t)tensor->count + 1, sizeof *tensor->expected);
        if (!tensor->expected)
            return df_error_memory("what is expected of a case", (size_t)tensor->count * sizeof(double));
        for (int64_t k = 0; tensor->values && k < tensor->count; k++)
            tensor->expected[k] = (double)tensor->values[k];
    }
    return 0;
}

int df_case_expect(struct df_case *c)
{
    DF_TRY(expect_buffers(c));
    c->set->expect(c);
    return 0;
}

/* The tensor's bytes on the host; the caller frees. NULL with the error set. */
static void *download(const struct df_case_run *run, const struct df_case_tensor *tensor, int number)
{
    const size_t bytes = (size_t)tensor->count * df_dtype_size(df_case_type(tensor, run->backend));
    void *raw = malloc(bytes + 1);

    if (!raw) {
        df_error_memory("a tensor of a case", bytes);
        return NULL;
    }
    if (tensor->on_host) {
        memcpy(raw, run->memory[number], bytes);
        return raw;
    }
    if (run->backend->ops->download(run->backend, raw, run->memory[number], bytes) == 0)
        return raw;
    free(raw);
    return NULL;
}

static double element(enum df_dtype type, const void *raw, int64_t i)
{
    switch (type) {
    case DF_U8:
        return (double)((const uint8_t *)raw)[i];
    case DF_I64:
        return (double)((const int64_t *)raw)[i];
    case DF_BF16:
        return (double)df_bf16_to_f32(((const uint16_t *)raw)[i]);
    default:
        return (double)((const float *)raw)[i];
    }
}

int df_case_expect_results(struct df_case *c, const struct df_case_run *run)
{
    DF_TRY(expect_buffers(c));
    for (int i = 0; i < c->n_tensors; i++) {
        const struct df_case_tensor *tensor = &c->tensors[i];
        if (tensor->role == DF_CASE_IN)
            continue;
        void *raw = download(run, tensor, i);
        if (!raw)
            return -1;
        for (int64_t k = 0; k < tensor->count; k++)
            tensor->expected[k] = element(df_case_type(tensor, run->backend), raw, k);
        free(raw);
    }
    memcpy(c->expected_scalars, run->scalars, sizeof c->expected_scalars);
    return 0;
}

/* bfloat16 has 8 bits. */
double df_case_rounding(double value, enum df_dtype type)
{
    int exponent;
    if (type != DF_BF16 || value == 0.0 || !isfinite(value))
        return 0.0;
    (void)frexp(value, &exponent);
    return ldexp(1.0, exponent - 9);
}

static double root_mean_square(const double *values, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += isfinite(values[i]) ? values[i] * values[i] : 0.0;
    return count > 0 ? sqrt(sum / (double)count) : 0.0;
}

static double float_error(const struct df_case_tensor *tensor, enum df_dtype type, const void *raw)
{
    const double scale = fmax(1.0, root_mean_square(tensor->expected, tensor->count));
    double largest = 0.0;

    for (int64_t i = 0; i < tensor->count; i++) {
        const double expected = tensor->expected[i], got = element(type, raw, i);
        if (got == expected || (isnan(got) && isnan(expected)))
            continue;
        const double apart = fabs(got - expected) - df_case_rounding(expected, tensor->type);
        if (!isfinite(apart)) /* NaN, or an infinity where there is none */
            return INFINITY;
        largest = fmax(largest, apart / fmax(scale, fabs(expected)));
    }
    return largest;
}

static double share_of_differences(const struct df_case_tensor *tensor, const void *raw)
{
    int64_t different = 0;
    for (int64_t i = 0; i < tensor->count; i++)
        different += element(tensor->type, raw, i) != tensor->expected[i];
    return tensor->count > 0 ? (double)different / (double)tensor->count : 0.0;
}

/* How much of the tolerance an error takes; without one it has to be exact. */
static double share_of_tolerance(const struct df_case_error *e)
{
    return e->error == 0.0 ? 0.0 : e->error / e->tolerance;
}

void df_case_note(struct df_case_error *worst, const struct df_case_error *error)
{
    const double before = share_of_tolerance(worst), share = share_of_tolerance(error);

    if (share >= before || (isnan(share) && !isnan(before))) {
        worst->error = error->error;
        worst->tolerance = error->tolerance;
        worst->tensor = error->tensor;
    }
    worst->agrees = worst->agrees && error->agrees;
}

static void note(struct df_case_error *worst, double error, double tolerance, int tensor)
{
    df_case_note(
        worst, &(struct df_case_error){error, tolerance, tensor, error <= tolerance /* false for NaN */, 0});
}

static void add_to_digest(uint64_t *digest, const void *raw, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) /* FNV-1a */
        *digest = (*digest ^ ((const uint8_t *)raw)[i]) * 1099511628211u;
}

int df_case_compare(const struct df_case *c, const struct df_case_run *run, struct df_case_error *error)
{
    *error = (struct df_case_error){.agrees = true, .digest = 14695981039346656037u};
    for (int i = 0; i < c->n_tensors; i++) {
        const struct df_case_tensor *tensor = &c->tensors[i];
        if (tensor->role == DF_CASE_IN)
            continue;
        const enum df_dtype type = df_case_type(tensor, run->backend);
        void *raw = download(run, tensor, i);
        if (!raw)
            return -1;
        add_to_digest(&error->digest, raw, (size_t)tensor->count * df_dtype_size(type));
        note(error, tensor->bytes ? share_of_differences(tensor, raw) : float_error(tensor, type, raw),
             tensor->tolerance, i);
        free(raw);
    }
    for (int i = 0; i < c->n_scalars; i++) {
        const double expected = c->expected_scalars[i];
        add_to_digest(&error->digest, &run->scalars[i], sizeof run->scalars[i]);
        note(error, fabs(run->scalars[i] - expected) / fmax(fabs(expected), 1.0), c->scalar_tolerance, -1);
    }
    return 0;
}
