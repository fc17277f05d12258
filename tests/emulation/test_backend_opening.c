/* A GPU that is opened by another thread: what it finds is what the caller's own thread would, and each
 * library is opened once, cuDNN before it is asked for. */
#define _GNU_SOURCE
#include "autotune_folder.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/segmenter.h"

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

/* Until as many are counted. */
static bool wait_for(int (*count)(void), int expected)
{
    const struct timespec millisecond = {0, 1000000};

    for (int i = 0; i < PATIENCE && count() < expected; i++)
        nanosleep(&millisecond, NULL);
    return count() >= expected;
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
        assert_true(wait_for(df_emulation_cudnn_handles, dnn + 1));
        attend(backend, result, sizeof result);
        df_backend_close(backend);
        assert_int_equal(df_emulation_cublaslt_handles(), blas + 1);
    }
}

/* Those of attention, forwards and backwards, while the weights are loaded. */
static void plans_are_made_before_the_first_step(void **state)
{
    const struct df_vit_config vit = {.family = DF_DINOV2,
                                      .dim = HEAD,
                                      .depth = 2,
                                      .heads = 1,
                                      .head_size = HEAD,
                                      .patch = 14,
                                      .ffn_hidden = 2 * HEAD,
                                      .pos_grid = 2,
                                      .qkv_bias = true,
                                      .layernorm_eps = 1e-6f};
    const struct df_segmenter_options options = {.decoder = "linear",
                                                 .classes = 3,
                                                 .rank = 2,
                                                 .max_batch = 2,
                                                 .height = 28,
                                                 .width = 42,
                                                 .training = true,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .std = {1.0f, 1.0f, 1.0f}};
    const int plans = df_emulation_cudnn_plans();
    struct df_backend *backend = open_beside(DF_DEVICE_CUDA, DF_PRECISION_BF16);
    struct df_state *weights = df_backbone_random(&vit, 1);

    (void)state;
    assert_true(backend && weights);
    struct df_segmenter *model = df_segmenter_create(backend, weights, &vit, &options, NULL, 1);
    assert_non_null(model);
    assert_true(wait_for(df_emulation_cudnn_plans, plans + 2));
    df_segmenter_free(model);
    df_state_free(weights);
    df_backend_close(backend);
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
        cmocka_unit_test_setup_teardown(plans_are_made_before_the_first_step, make_autotune_folder,
                                        remove_autotune_folder),
        cmocka_unit_test_setup_teardown(cudnn_is_not_opened_for_nothing, make_autotune_folder,
                                        remove_autotune_folder),
        cmocka_unit_test_setup_teardown(errors_are_the_callers, make_autotune_folder, remove_autotune_folder),
        cmocka_unit_test_setup_teardown(cancelling_gives_all_back, make_autotune_folder,
                                        remove_autotune_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
