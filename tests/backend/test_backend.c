/* Opening a backend, its table of operations and its memory. */
#include "dinoft/backend.h"

#include "dinoft/error.h"

#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_refused(enum df_device_choice device, enum df_precision precision, int threads,
                           const char *text)
{
    assert_null(df_backend_open(device, precision, threads));
    assert_string_equal(df_error_text(), text);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_refused(DF_DEVICE_AUTO, DF_PRECISION_FP32, -1, "-1 threads: expected a count, or 0 for all cores");
}

static void check_opened(enum df_device_choice device, enum df_precision precision, int threads,
                         const char *name, enum df_dtype compute)
{
    struct df_backend *backend = df_backend_open(device, precision, threads);

    if (!backend)
        fail_msg("%s", df_error_text());
    assert_string_equal(backend->name, name);
    assert_int_equal(backend->compute, compute);
    assert_true(threads ? backend->threads == threads : backend->threads >= 1);
    df_backend_close(backend);
}

static void test_open(void **state)
{
    const bool cuda = df_cuda_presence() == DF_CUDA_READY;
    const char *best = cuda ? "cuda" : "cpu";
    const enum df_dtype on_cpu = df_cpu_bf16_is_native() ? DF_BF16 : DF_F32;

    (void)state;
    check_opened(DF_DEVICE_CPU, DF_PRECISION_FP32, 0, "cpu", DF_F32);
    check_opened(DF_DEVICE_CPU, DF_PRECISION_AUTO, 1, "cpu", on_cpu);
    check_opened(DF_DEVICE_AUTO, DF_PRECISION_FP32, 2, best, DF_F32);
    check_opened(DF_DEVICE_AUTO, DF_PRECISION_AUTO, 3, best, cuda ? DF_BF16 : on_cpu);
    df_backend_close(NULL);
}

/* A GPU that is there is opened, and one line says why not where none is. */
static void test_cuda(void **state)
{
    (void)state;
    if (df_cuda_presence() == DF_CUDA_READY) {
        check_opened(DF_DEVICE_CUDA, DF_PRECISION_AUTO, 0, "cuda", DF_BF16);
        assert_null(df_cuda_backend_open(DF_F16, 1));
        assert_string_equal(df_error_text(),
                            "the cuda backend computes in float32 or bfloat16, not in float16");
        assert_refused(DF_DEVICE_CUDA, DF_PRECISION_FP32, -1,
                       "-1 threads: expected a count, or 0 for all cores");
        return;
    }
    assert_ptr_equal(strstr(df_error_text(), "device cuda: "), df_error_text());
    assert_null(df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_AUTO, 0));
    assert_ptr_equal(strstr(df_error_text(), "device cuda: "), df_error_text());
    assert_null(strchr(df_error_text(), '\n'));
}

/* Asked for by name it is there with AVX-512 and refused without. */
static void test_bf16(void **state)
{
    struct df_backend *backend = df_backend_open(DF_DEVICE_CPU, DF_PRECISION_BF16, 1);

    (void)state;
    if (backend) {
        assert_int_equal(backend->compute, DF_BF16);
    } else {
        assert_false(df_cpu_bf16_is_native());
        assert_non_null(strstr(df_error_text(), "has no bfloat16 for this processor"));
    }
    df_backend_close(backend);
    assert_null(df_cpu_backend_open(DF_F16, 1));
    assert_string_equal(df_error_text(), "the cpu backend computes in float32 or bfloat16, not in float16");
}

/* A backend without an operation would crash the model that calls it. */
static void test_table_is_complete(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 1);

    (void)state;
    assert_non_null(backend);
    void (*const none)(void) = NULL;
    for (size_t i = 0; i < sizeof *backend->ops; i += sizeof none) {
        /* from host_alloc to resize_batch: for devices with memory of their own */
        const bool of_batches = i >= offsetof(struct df_backend_ops, host_alloc) &&
                                i <= offsetof(struct df_backend_ops, resize_batch);
        const bool is_there = memcmp((const char *)backend->ops + i, &none, sizeof none) != 0;
        assert_true(is_there == (!of_batches || backend->resizes));
    }
    df_backend_close(backend);
}

static void test_memory(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 1);

    (void)state;
    assert_non_null(backend);
    void *memory = backend->ops->alloc(backend, 21);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 64, 0);
    backend->ops->free(backend, memory);
    backend->ops->free(backend, NULL);
    assert_null(backend->ops->alloc(backend, SIZE_MAX));
    char expected[128];
    snprintf(expected, sizeof expected,
             "out of memory: a buffer of the %s backend needs 18446744073709551615 bytes", backend->name);
    assert_ptr_equal(strstr(df_error_text(), expected), df_error_text());
    df_backend_close(backend);
}

/* Where memory is counted it is counted rightly. */
static void test_memory_use(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_memory_use before, during, after;

    (void)state;
    assert_non_null(backend);
    assert_int_equal(backend->ops->memory(backend, &before), 0);
    void *memory = backend->ops->alloc(backend, 1000000);
    assert_non_null(memory);
    assert_int_equal(backend->ops->memory(backend, &during), 0);
    backend->ops->free(backend, memory);
    assert_int_equal(backend->ops->memory(backend, &after), 0);
    assert_true(before.available > 0 && before.total >= before.available);
    if (test_on_cpu()) {
        assert_int_equal(during.most_taken, 0);
    } else {
        assert_int_equal(during.taken, before.taken + 1000000);
        assert_int_equal(after.taken, before.taken);
        assert_true(after.most_taken >= during.taken);
    }
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_cuda),
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_table_is_complete),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
