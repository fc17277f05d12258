#include "device.h"

#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include "dinoft/operation_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void release(struct test_device *device)
{
    for (int i = 0; i < device->n_device; i++)
        device->backend->ops->free(device->backend, device->device_memory[i]);
    for (int i = 0; i < device->n_host; i++)
        free(device->host_memory[i]);
    device->n_device = device->n_host = 0;
}

static struct df_backend *open_for(enum df_dtype compute, int threads)
{
    if (!test_on_cpu())
        return test_open_backend(compute == DF_BF16 ? "bf16" : "fp32", threads);
    struct df_backend *backend = df_cpu_backend_open(DF_F32, threads);
    /* Not asked for when opening: that needs a processor with bfloat16, these operations do not. */
    if (backend)
        backend->compute = compute;
    return backend;
}

static void run_on_threads(void (*check)(struct test_device *device), enum df_dtype compute)
{
    uint64_t digest = 0;
    for (int threads = 1; threads <= (test_on_cpu() ? 3 : 2); threads++) {
        struct test_device device = {.digest = 14695981039346656037u};
        device.backend = open_for(compute, threads);
        assert_non_null(device.backend);
        df_rng_seed(&device.rng, 7, 0);
        check(&device);
        release(&device);
        df_backend_close(device.backend);
        if (threads > 1)
            assert_true(device.digest == digest);
        digest = device.digest;
    }
}

void test_on_threads(void (*check)(struct test_device *device))
{
    run_on_threads(check, DF_F32);
}

void test_in_all_types(void (*check)(struct test_device *device))
{
    run_on_threads(check, DF_F32);
    run_on_threads(check, DF_BF16);
}

static void *host_array(struct test_device *device, size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    assert_non_null(memory);
    assert_true(device->n_host < TEST_DEVICE_MAX);
    device->host_memory[device->n_host++] = memory;
    return memory;
}

float *test_random(struct test_device *device, size_t count, double mean, double deviation)
{
    float *values = host_array(device, count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(mean + deviation * df_rng_normal(&device->rng));
    return values;
}

double *test_widen(struct test_device *device, const float *values, size_t count)
{
    double *wide = host_array(device, count * sizeof(double));
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

void *test_put(struct test_device *device, const void *host, size_t bytes)
{
    void *memory = device->backend->ops->alloc(device->backend, bytes > 0 ? bytes : 1);
    assert_non_null(memory);
    assert_true(device->n_device < TEST_DEVICE_MAX);
    device->device_memory[device->n_device++] = memory;
    assert_int_equal(device->backend->ops->upload(device->backend, memory, host, bytes), 0);
    return memory;
}

float *test_put_f32(struct test_device *device, const float *host, size_t count)
{
    return test_put(device, host, count * sizeof(float));
}

void *test_put_act(struct test_device *device, const float *host, size_t count)
{
    const enum df_dtype type = device->backend->compute;
    void *converted = host_array(device, count * df_dtype_size(type));
    assert_int_equal(df_convert_from_f32(converted, type, host, count), 0);
    return test_put(device, converted, count * df_dtype_size(type));
}

void *test_buffer(struct test_device *device, size_t bytes)
{
    unsigned char *pattern = host_array(device, bytes);
    memset(pattern, 0xff, bytes);
    return test_put(device, pattern, bytes);
}

float *test_buffer_f32(struct test_device *device, size_t count)
{
    return test_buffer(device, count * sizeof(float));
}

void *test_buffer_act(struct test_device *device, size_t count)
{
    return test_buffer(device, count * df_dtype_size(device->backend->compute));
}

void *test_get(struct test_device *device, const void *memory, size_t bytes)
{
    unsigned char *host = host_array(device, bytes);
    assert_int_equal(device->backend->ops->download(device->backend, host, memory, bytes), 0);
    for (size_t i = 0; i < bytes; i++)
        device->digest = (device->digest ^ host[i]) * 1099511628211u; /* FNV-1a */
    return host;
}

float *test_get_f32(struct test_device *device, const float *memory, size_t count)
{
    return test_get(device, memory, count * sizeof(float));
}

float *test_get_act(struct test_device *device, const void *memory, size_t count)
{
    const enum df_dtype type = device->backend->compute;
    const void *raw = test_get(device, memory, count * df_dtype_size(type));
    float *values = host_array(device, count * sizeof(float));
    df_convert_to_f32(values, raw, type, count);
    return values;
}

static void near(const char *what, enum df_dtype type, const float *got, const double *want, size_t count,
                 double tolerance)
{
    for (size_t i = 0; i < count; i++) {
        const double error = fabs((double)got[i] - want[i]);
        const double allowed = tolerance * fmax(1.0, fabs(want[i])) + df_case_rounding(want[i], type);
        const bool ok = isfinite(want[i]) ? error <= allowed
                        : isnan(want[i])  ? isnan(got[i])
                                          : got[i] == want[i];
        if (!ok)
            fail_msg("%s in %s: element %zu of %zu is %.9g, expected %.9g (tolerance %g)", what,
                     df_dtype_name(type), i, count, (double)got[i], want[i], allowed);
    }
}

void test_near(const char *what, const float *got, const double *want, size_t count, double tolerance)
{
    near(what, DF_F32, got, want, count, tolerance);
}

void test_near_act(const struct test_device *device, const char *what, const float *got, const double *want,
                   size_t count, double tolerance)
{
    near(what, device->backend->compute, got, want, count, tolerance);
}
