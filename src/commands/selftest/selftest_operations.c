#include "selftest_case.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_REPEATS 1024
#define COPY_BYTES   ((size_t)256 << 20)
#define COPY_SECONDS 0.2

/* --- a side --- */

static enum df_dtype type_on(const struct selftest_tensor *tensor, const struct df_backend *backend)
{
    return tensor->act ? backend->compute : tensor->type;
}

static size_t bytes_on(const struct selftest_tensor *tensor, const struct df_backend *backend)
{
    return (size_t)tensor->count * df_dtype_size(type_on(tensor, backend));
}

/* The one call that is compared. */
static int call_once(const struct selftest_case *test, struct selftest_side *side)
{
    if (test->prepare)
        DF_TRY(test->prepare(test, side));
    DF_TRY(test->call(test, side));
    return side->backend->ops->wait(side->backend);
}

/* Puts what the operation reads where it reads it, and NaN where it only writes. */
static int put_tensor(struct selftest_side *side, const struct selftest_tensor *tensor, int number)
{
    struct df_backend *backend = side->backend;
    const enum df_dtype type = type_on(tensor, backend);
    const size_t bytes = bytes_on(tensor, backend);
    const void *source = type == DF_U8 ? (const void *)tensor->bytes : tensor->values;
    void *converted = NULL;
    int status = -1;

    side->memory[number] = backend->ops->alloc(backend, bytes);
    if (!side->memory[number])
        return -1;
    if (type == DF_BF16 || tensor->role == ROLE_OUT) {
        converted = malloc(bytes + 1);
        if (!converted) {
            df_error_memory("a tensor of the selftest", bytes);
            goto done;
        }
        if (tensor->role == ROLE_OUT)
            memset(converted, 0xff, bytes);
        else if (df_convert_from_f32(converted, type, tensor->values, (size_t)tensor->count) != 0)
            goto done;
        source = converted;
    }
    status = backend->ops->upload(backend, side->memory[number], source, bytes);
done:
    free(converted);
    return status;
}

static int open_side(struct selftest_side *side, const struct selftest_case *test, struct df_backend *backend)
{
    *side = (struct selftest_side){.backend = backend};
    for (int i = 0; i < test->n_tensors; i++)
        DF_TRY(put_tensor(side, &test->tensors[i], i));
    if (test->linear_out == 0)
        return 0;
    side->linear = backend->ops->linear_create(backend, test->linear_weight, test->linear_bias,
                                               test->linear_out, test->linear_in, test->linear_rows, true);
    return side->linear ? 0 : -1;
}

static void close_side(struct selftest_side *side)
{
    struct df_backend *backend = side->backend;

    for (int i = 0; i < MOST_TENSORS; i++)
        backend->ops->free(backend, side->memory[i]);
    backend->ops->linear_free(backend, side->linear);
}

/* The tensor as float32, or as bytes; the caller frees. NULL with the error set. */
static void *get_tensor(const struct selftest_side *side, const struct selftest_tensor *tensor, int number)
{
    struct df_backend *backend = side->backend;
    const enum df_dtype type = type_on(tensor, backend);
    const size_t bytes = bytes_on(tensor, backend), count = (size_t)tensor->count;
    void *raw = malloc(bytes + 1);
    float *wide = NULL;

    if (!raw || backend->ops->download(backend, raw, side->memory[number], bytes) != 0)
        goto done;
    if (type == DF_U8)
        return raw;
    wide = malloc((count + 1) * sizeof *wide);
    if (wide)
        df_convert_to_f32(wide, raw, type, count);
done:
    if (!raw || !wide)
        df_error_memory("a tensor of the selftest", bytes);
    free(raw);
    return wide;
}

/* --- comparing --- */

static double largest_difference(const float *expected, const float *got, int64_t count)
{
    double largest = 0.0, difference = 0.0;

    for (int64_t i = 0; i < count; i++) {
        const double apart = fabs((double)expected[i] - (double)got[i]);
        if (!(apart <= difference) && !isnan(difference)) /* NaN stays */
            difference = apart;
        largest = fmax(largest, fabs((double)expected[i]));
    }
    return largest > 0.0 ? difference / largest : difference;
}

static double different_bytes(const uint8_t *expected, const uint8_t *got, int64_t count)
{
    int64_t different = 0;
    for (int64_t i = 0; i < count; i++)
        different += expected[i] != got[i];
    return (double)different / (double)count;
}

/* Takes the result that is worst against its bound into the line. */
static void note(struct selftest_line *line, double error, double bound)
{
    const bool agrees = error <= bound; /* false for NaN */

    if (!agrees || line->bound == 0.0 || error / bound > line->error / line->bound) {
        if (line->agrees) {
            line->error = error;
            line->bound = bound;
        }
        line->agrees = line->agrees && agrees;
    }
}

static int compare_tensor(const struct selftest_case *test, const struct selftest_side *reference,
                          const struct selftest_side *device, int number, struct selftest_line *line)
{
    const struct selftest_tensor *tensor = &test->tensors[number];
    void *expected = get_tensor(reference, tensor, number), *got = get_tensor(device, tensor, number);
    const int status = expected && got ? 0 : -1;

    if (status == 0 && tensor->type == DF_U8)
        note(line, different_bytes(expected, got, tensor->count), BOUND_BYTES);
    else if (status == 0)
        note(line, largest_difference(expected, got, tensor->count),
             tensor->act ? test->bound_act : test->bound);
    free(expected);
    free(got);
    return status;
}

static int compare(const struct selftest_case *test, const struct selftest_side *reference,
                   const struct selftest_side *device, struct selftest_line *line)
{
    for (int i = 0; i < test->n_tensors; i++) {
        if (test->tensors[i].role != ROLE_IN)
            DF_TRY(compare_tensor(test, reference, device, i, line));
    }
    for (int i = 0; i < test->n_scalars; i++) {
        const double expected = reference->scalars[i], scale = fmax(fabs(expected), 1e-30);
        note(line, fabs(device->scalars[i] - expected) / scale, test->bound);
    }
    return 0;
}

/* Seconds of one call: calls are repeated, twice as many each time, until they take long enough together. */
static int time_calls(const struct selftest_case *test, struct selftest_side *side, double *seconds)
{
    struct df_backend *backend = side->backend;

    for (int repeats = 1; repeats <= MOST_REPEATS; repeats *= 2) {
        const double started = df_seconds();
        for (int i = 0; i < repeats; i++)
            DF_TRY(test->call(test, side));
        DF_TRY(backend->ops->wait(backend));
        const double passed = df_seconds() - started;
        *seconds = passed / repeats;
        if (passed >= test->setting->seconds)
            break;
    }
    return 0;
}

static double tensor_bytes(const struct selftest_case *test, const struct df_backend *backend)
{
    double bytes = (double)(test->linear_out * test->linear_in) * (double)df_dtype_size(backend->compute);

    for (int i = 0; i < test->n_tensors; i++)
        bytes +=
            (double)bytes_on(&test->tensors[i], backend) * (test->tensors[i].role == ROLE_IN_OUT ? 2.0 : 1.0);
    return bytes;
}

static int run_case(struct selftest_case *test, struct df_backend *reference, struct df_backend *device,
                    struct selftest_line *line)
{
    struct selftest_side sides[2] = {{.backend = reference}, {.backend = device}};
    int status = -1;

    *line = (struct selftest_line){.operation = test->operation, .shape = test->shape, .agrees = true};
    line->flops = test->flops;
    line->bytes = tensor_bytes(test, device);
    if (test->failed || open_side(&sides[0], test, reference) != 0 || call_once(test, &sides[0]) != 0 ||
        open_side(&sides[1], test, device) != 0 || call_once(test, &sides[1]) != 0 ||
        compare(test, &sides[0], &sides[1], line) != 0)
        goto done;
    status = test->setting->seconds > 0.0 ? time_calls(test, &sides[1], &line->seconds) : 0;
done:
    if (status != 0)
        df_error_context("selftest, %s %s", test->operation, test->shape);
    close_side(&sides[0]);
    close_side(&sides[1]);
    return status;
}

static int run_builders(selftest_builder *const *builders, const struct selftest_case *empty,
                        struct df_backend *reference, struct df_backend *device, selftest_report *report,
                        void *context, int *disagreements)
{
    for (; *builders; builders++) {
        struct selftest_case test = *empty;
        struct selftest_line line;
        (*builders)(&test);
        int status = 0;
        if (test.call || test.failed)
            status = run_case(&test, reference, device, &line);
        if (test.call && status == 0) {
            report(&line, context);
            *disagreements += !line.agrees;
        }
        selftest_free(&test);
        DF_TRY(status);
    }
    return 0;
}

int selftest_operations(struct df_backend *reference, struct df_backend *device,
                        const struct selftest_setting *setting, selftest_report *report, void *context,
                        int *disagreements)
{
    static selftest_builder *const *const files[] = {selftest_batches, selftest_transformer, selftest_decoder,
                                                     selftest_evaluation};
    float *normals = malloc(SELFTEST_NORMALS * sizeof *normals);
    struct df_rng rng;
    int status = 0;

    if (!normals)
        return df_error_memory("random numbers", SELFTEST_NORMALS * sizeof *normals);
    df_rng_seed(&rng, setting->seed, df_hash_text("selftest"));
    for (int i = 0; i < SELFTEST_NORMALS; i++)
        normals[i] = (float)df_rng_normal(&rng);
    const bool narrow = device->compute == DF_BF16;
    const struct selftest_case empty = {
        .setting = setting,
        .device_type = device->compute,
        .bound = BOUND_FLOAT,
        .bound_act = narrow ? BOUND_BF16 : BOUND_FLOAT,
        .rng = &rng,
        .normals = normals,
    };
    *disagreements = 0;
    for (size_t i = 0; status == 0 && i < sizeof files / sizeof files[0]; i++)
        status = run_builders(files[i], &empty, reference, device, report, context, disagreements);
    free(normals);
    return status;
}

int selftest_copy_peak(struct df_backend *device, double *peak)
{
    void *from = device->ops->alloc(device, COPY_BYTES), *to = device->ops->alloc(device, COPY_BYTES);
    double begun = df_seconds(), best = INFINITY;
    int status = from && to ? device->ops->zero(device, from, COPY_BYTES) : -1;

    for (int i = 0; status == 0 && (i < 3 || df_seconds() - begun < COPY_SECONDS); i++) {
        const double started = df_seconds();
        status = device->ops->copy(device, to, from, COPY_BYTES);
        if (status == 0)
            status = device->ops->wait(device);
        best = fmin(best, df_seconds() - started);
    }
    *peak = 2.0 * (double)COPY_BYTES / best;
    device->ops->free(device, from);
    device->ops->free(device, to);
    return status;
}
