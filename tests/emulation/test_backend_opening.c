/* A GPU that is opened by another thread: what it finds is what the caller's own thread would, and each
 * library is opened once, cuDNN before it is asked for. */
#define _GNU_SOURCE
#include "autotune_folder.h"

#include "dinoft/backend.h"
#include "dinoft/error.h"

#include "emulation_control.h"

#include <time.h>

#define PATIENCE 60000 /* milliseconds that a thread may take */

#define TOKENS 5
#define HEAD   64

/* Attention in float32 or bfloat16, on a backend that was begun in whichever thread. */
static void attend(struct df_backend *backend, void *result, size_t bytes)
{
    const struct df_attention_shape shape = {1, TOKENS, 1, HEAD};
    const size_t size = df_dtype_size(backend->compute);
    const size_t in_bytes = 3 * TOKENS * HEAD * size, out_bytes = TOKENS * HEAD * size;
    void *qkv = backend->ops->alloc(backend, in_bytes), *out = backend->ops->alloc(backend, out_bytes);

    assert_true(qkv && out && bytes >= out_bytes);
    assert_int_equal(backend->ops->zero(backend, qkv, in_bytes), 0);
    assert_int_equal(backend->ops->attention_forward(backend, shape, qkv, out, NULL), 0);
    assert_int_equal(backend->ops->download(backend, result, out, out_bytes), 0);
    backend->ops->free(backend, qkv);
    backend->ops->free(backend, out);
}

static struct df_backend *open_beside(enum df_device_choice device, enum df_precision precision)
{
    struct df_backend_opening *opening = df_backend_begin(device, precision, 1);

    assert_non_null(opening);
    return df_backend_end(opening);
}

static bool wait_for_cudnn(int handles)
{
    const struct timespec millisecond = {0, 1000000};

    for (int i = 0; i < PATIENCE && df_emulation_cudnn_handles() < handles; i++)
        nanosleep(&millisecond, NULL);
    return df_emulation_cudnn_handles() == handles;
}

static void each_library_is_opened_once(void **state)
{
    static const enum df_device_choice devices[] = {DF_DEVICE_AUTO, DF_DEVICE_CUDA};
    char result[TOKENS * HEAD * sizeof(float)];

    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        const int blas = df_emulation_cublaslt_handles(), dnn = df_emulation_cudnn_handles();
        struct df_backend *backend = open_beside(devices[i], DF_PRECISION_AUTO);
        assert_non_null(backend);
        assert_int_equal(backend->compute, DF_BF16);
        assert_true(wait_for_cudnn(dnn + 1));
        attend(backend, result, sizeof result);
        df_backend_close(backend);
        assert_int_equal(df_emulation_cublaslt_handles(), blas + 1);
    }
}

/* Attention in float32 is our own kernel's, and so it is without a choice of algorithms. */
static void cudnn_is_not_opened_for_nothing(void **state)
{
    const int before = df_emulation_cudnn_handles();
    char result[TOKENS * HEAD * sizeof(float)];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct df_backend *backend = open_beside(DF_DEVICE_CUDA, i ? DF_PRECISION_BF16 : DF_PRECISION_FP32);
        assert_non_null(backend);
        attend(backend, result, sizeof result);
        df_backend_close(backend);
        assert_int_equal(df_emulation_cudnn_handles(), before);
        setenv("DINOFT_CUDA_ALGO", "first", 1);
    }
}

/* The error is the caller's, as if the caller had opened it. */
static void errors_are_the_callers(void **state)
{
    char expected[DF_ERROR_TEXT_MAX];

    (void)state;
    setenv("DF_EMULATION_MACHINE", "no-device", 1);
    assert_null(df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_AUTO, 1));
    snprintf(expected, sizeof expected, "%s", df_error_text());
    df_error_set("something else");
    assert_null(open_beside(DF_DEVICE_CUDA, DF_PRECISION_AUTO));
    assert_string_equal(df_error_text(), expected);
    struct df_backend *backend = open_beside(DF_DEVICE_AUTO, DF_PRECISION_FP32);
    assert_non_null(backend);
    assert_string_equal(backend->name, "cpu");
    df_backend_close(backend);
    unsetenv("DF_EMULATION_MACHINE");
}

static void cancelling_gives_all_back(void **state)
{
    static const enum df_device_choice devices[] = {DF_DEVICE_CPU, DF_DEVICE_AUTO, DF_DEVICE_CUDA};

    (void)state;
    df_error_set("the reason");
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        struct df_backend_opening *opening = df_backend_begin(devices[i], DF_PRECISION_AUTO, 1);
        assert_non_null(opening);
        assert_true(devices[i] != DF_DEVICE_CPU || !df_backend_is_opening(opening));
        df_backend_cancel(opening);
        assert_int_equal(df_emulation_memory_in_use(), 0);
    }
    assert_string_equal(df_error_text(), "the reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_library_is_opened_once, make_autotune_folder,
                                        remove_autotune_folder),
        cmocka_unit_test_setup_teardown(cudnn_is_not_opened_for_nothing, make_autotune_folder,
                                        remove_autotune_folder),
        cmocka_unit_test_setup_teardown(errors_are_the_callers, make_autotune_folder, remove_autotune_folder),
        cmocka_unit_test_setup_teardown(cancelling_gives_all_back, make_autotune_folder,
                                        remove_autotune_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
