/* Opening a backend, its table of operations and its memory. */
#include "dinoft/backend.h"

#include "dinoft/error.h"

#include "support/cmocka_all.h"

#include <string.h>

static void assert_refused(const char *device, const char *precision, int threads, const char *text)
{
    assert_null(df_backend_open(device, precision, threads));
    assert_string_equal(df_error_text(), text);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_refused("cuda", "auto", 0,
                   "device cuda: this build of dinoft has no CUDA backend; use cpu or auto");
    assert_refused("tpu", "auto", 0, "device 'tpu' is unknown; expected auto, cpu or cuda");
    assert_refused("cpu", "fp16", 0, "precision 'fp16' is unknown; expected auto, fp32 or bf16");
    assert_refused("auto", "fp32", -1, "-1 threads: expected a count, or 0 for all cores");
}

static void test_open(void **state)
{
    static const char *const devices[] = {"cpu", "auto"}, *const precisions[] = {"fp32", "auto"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct df_backend *backend = df_backend_open(devices[i / 2], precisions[i % 2], i);
        assert_non_null(backend);
        assert_string_equal(backend->name, "cpu");
        assert_int_equal(backend->compute, i % 2 && df_cpu_bf16_is_native() ? DF_BF16 : DF_F32);
        assert_true(i ? backend->threads == i : backend->threads >= 1);
        df_backend_close(backend);
    }
    df_backend_close(NULL);
}

/* Asked for by name it is there with AVX-512 and refused without. */
static void test_bf16(void **state)
{
    struct df_backend *backend = df_backend_open("cpu", "bf16", 1);

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
    struct df_backend *backend = df_backend_open("cpu", "auto", 1);

    (void)state;
    assert_non_null(backend);
    void (*const none)(void) = NULL;
    for (size_t i = 0; i < sizeof *backend->ops; i += sizeof none)
        assert_memory_not_equal((const char *)backend->ops + i, &none, sizeof none);
    df_backend_close(backend);
}

static void test_memory(void **state)
{
    struct df_backend *backend = df_backend_open("cpu", "auto", 1);
    const char text[] = "a text of some bytes";
    char back[sizeof text];

    (void)state;
    assert_non_null(backend);
    char *a = backend->ops->alloc(backend, sizeof text), *b = backend->ops->alloc(backend, sizeof text);
    assert_true(a && b);
    assert_int_equal((uintptr_t)a % 64, 0);
    assert_int_equal(backend->ops->upload(backend, a, text, sizeof text), 0);
    assert_int_equal(backend->ops->copy(backend, b, a, sizeof text), 0);
    assert_int_equal(backend->ops->zero(backend, a, sizeof text), 0);
    assert_int_equal(backend->ops->download(backend, back, b, sizeof text), 0);
    assert_string_equal(back, text);
    assert_int_equal(backend->ops->download(backend, back, a, sizeof text), 0);
    for (size_t i = 0; i < sizeof back; i++)
        assert_int_equal(back[i], 0);
    backend->ops->free(backend, a);
    backend->ops->free(backend, b);
    backend->ops->free(backend, NULL);
    assert_null(backend->ops->alloc(backend, SIZE_MAX));
    assert_string_equal(df_error_text(),
                        "out of memory: a buffer of the cpu backend needs 18446744073709551615 bytes");
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_open),   cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_table_is_complete), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
