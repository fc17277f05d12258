/* The selftest itself: a right device passes, and an operation that is wrong is found, whichever it is. */
#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include "src/commands/selftest/selftest.h"

#include "dinoft/error.h"
#include "dinoft/operation_case.h"

#include <stdio.h>
#include <string.h>

static struct selftest_setting small_setting(void)
{
    struct selftest_setting setting = {
        .batch = 2, .height = 84, .width = 70, .classes = 21, .rank = 3, .seed = 1};

    assert_int_equal(df_vit_config_for_hub_name("dinov2_vits14_reg", &setting.vit), 0);
    setting.vit.dim = 128; /* smaller than any that exists */
    setting.vit.heads = 2;
    setting.vit.ffn_hidden = 256;
    return setting;
}

/* What was reported. */
struct report {
    int lines, wrong;
    char wrong_operations[512];
};

static void note(const struct selftest_line *line, void *context)
{
    struct report *report = context;
    const size_t used = strlen(report->wrong_operations);

    report->lines++;
    assert_true(strlen(line->shape) > 0);
    if (line->worst.agrees)
        return;
    report->wrong++;
    assert_true(line->worst.error > line->worst.tolerance);
    if (!strstr(report->wrong_operations, line->operation))
        snprintf(report->wrong_operations + used, sizeof report->wrong_operations - used, "%s;",
                 line->operation);
}

static int disagreements_with(struct df_backend *device, struct report *report)
{
    const struct selftest_setting setting = small_setting();
    struct df_backend *reference = df_cpu_backend_open(DF_F32, 2);
    int disagreements = -1;

    assert_non_null(reference);
    *report = (struct report){0};
    if (selftest_operations(reference, device, &setting, note, report, &disagreements) != 0)
        fail_msg("%s", df_error_text());
    df_backend_close(reference);
    assert_int_equal(disagreements, report->wrong);
    return disagreements;
}

static void check_device(const char *precision)
{
    struct df_backend *device = test_open_backend(precision, 2);
    struct report report;

    if (!device) {
        print_message("skipped: %s\n", df_error_text());
        skip();
    }
    if (disagreements_with(device, &report) != 0)
        fail_msg("wrong: %s", report.wrong_operations);
    assert_true(report.lines >= 80);
    df_backend_close(device);
}

static void a_device_agrees_in_fp32(void **state)
{
    (void)state;
    check_device("fp32");
}

static void a_device_agrees_in_bf16(void **state)
{
    (void)state;
    check_device("bf16");
}

/* Operations that go wrong: one leaves its result as it was, one is a little off. */
static struct faulty {
    const struct df_backend_ops *real;
    struct df_backend_ops ops;
} faulty;

static int gelu_not_run(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    (void)backend;
    (void)x;
    (void)y;
    (void)count;
    return 0;
}

static int layernorm_with_another_eps(struct df_backend *backend, const float *x, struct df_token_rows rows,
                                      int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                                      enum df_dtype type, float *mean, float *rstd)
{
    return faulty.real->layernorm_forward(backend, x, rows, dim, gamma, beta, eps + 1e-3f, y, type, mean,
                                          rstd);
}

static int loss_off_by_one_pixel(struct df_backend *backend, struct df_upsample_loss *work, float *scratch)
{
    const int status = faulty.real->upsample_loss(backend, work, scratch);
    work->loss.count++;
    return status;
}

static int attention_without_dk(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk)
{
    (void)need_dk;
    return faulty.real->attention_backward(backend, shape, qkv, out, lse, dout, dqkv, false);
}

static void wrong_operations_are_found(void **state)
{
    struct df_backend *device = test_open_backend("fp32", 2);
    struct report report;

    (void)state;
    assert_non_null(device);
    faulty = (struct faulty){.real = device->ops, .ops = *device->ops};
    device->ops = &faulty.ops;
    faulty.ops.gelu_forward = gelu_not_run;
    faulty.ops.layernorm_forward = layernorm_with_another_eps;
    faulty.ops.upsample_loss = loss_off_by_one_pixel;
    faulty.ops.attention_backward = attention_without_dk;
    assert_in_range(disagreements_with(device, &report), 4, 4 * DF_CASE_USES);
    assert_string_equal(report.wrong_operations,
                        "layernorm_forward;attention_backward;gelu_forward;upsample_loss;");
    device->ops = faulty.real;
    df_backend_close(device);
}

static int argmax_fails(struct df_backend *backend, const float *sum, int64_t count, int64_t classes,
                        int64_t views, const uint8_t *labels, uint8_t *prediction, float *confidence,
                        struct df_loss_sum *on_device, struct df_loss_sum *loss)
{
    (void)backend;
    (void)sum;
    (void)count;
    (void)classes;
    (void)views;
    (void)labels;
    (void)prediction;
    (void)confidence;
    (void)on_device;
    (void)loss;
    return df_error_set("out of order");
}

static void a_failure_is_an_error(void **state)
{
    struct df_backend *device = test_open_backend("fp32", 2), *reference = df_cpu_backend_open(DF_F32, 2);
    const struct selftest_setting setting = small_setting();
    struct report report = {0};
    int disagreements;

    (void)state;
    assert_true(device && reference);
    faulty = (struct faulty){.real = device->ops, .ops = *device->ops};
    device->ops = &faulty.ops;
    faulty.ops.argmax = argmax_fails;
    assert_int_equal(selftest_operations(reference, device, &setting, note, &report, &disagreements), -1);
    assert_string_equal(df_error_text(), "selftest, argmax: out of order");
    device->ops = faulty.real;
    df_backend_close(reference);
    df_backend_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_agrees_in_fp32),
        cmocka_unit_test(a_device_agrees_in_bf16),
        cmocka_unit_test(wrong_operations_are_found),
        cmocka_unit_test(a_failure_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
