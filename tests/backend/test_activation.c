/* GELU: values of torch.nn.functional.gelu of PyTorch 2. GELU and SwiGLU of what is no number or far out, and
 * the elementary functions behind them. Their cases are in src/backend/cases/activation.c. */
#include "device.h"

#include "src/backend/cpu/vector_math.h"

#include "support/cmocka_all.h"

#include <math.h>

static void check_gelu_golden(struct test_device *device)
{
    static const float x[] = {-5.0f, -3.0f, -1.5f, -0.7f, -1e-3f, 0.0f, 0.3f, 1.0f, 2.5f, 6.0f};
    static const double y[] = {-1.4332579e-6, -0.00405022502, -0.10021086, -0.169374555, -0.000499601068,
                               0.0,           0.18537344,     0.841344714, 2.48447585,   6.0};
    static const double dx[] = {-7.12275505e-06, -0.0119456053, -0.127469152, 0.0233858526, 0.499202192, 0.5,
                                0.732327759,     1.08331537,    1.03761101,   1.0};
    static const float ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const size_t n = sizeof(x) / sizeof(*x);
    void *in = test_put_act(device, x, n), *gradient = test_put_act(device, ones, n);
    void *out = test_buffer_act(device, n);
    assert_int_equal(device->backend->ops->gelu_forward(device->backend, in, out, (int64_t)n), 0);
    /* PyTorch takes 1 + erf as a difference: at -3 it is off by 5e-7 itself. */
    test_near_act(device, "gelu", test_get_act(device, out, n), y, n, 6e-7);
    assert_int_equal(device->backend->ops->gelu_backward(device->backend, in, gradient, out, (int64_t)n), 0);
    test_near_act(device, "gelu gradient", test_get_act(device, out, n), dx, n, 5e-7);
}

static void gelu_matches_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_gelu_golden);
}

static void check_special_values(struct test_device *device)
{
    static const float x[] = {NAN, INFINITY, 1.0f, -NAN, 1.0f, 1.0f},
                       dy[] = {1.0f, NAN, 1.0f, INFINITY, 1.0f, 1.0f};
    static const double gelu[] = {NAN, INFINITY, 0.841344746, NAN, 0.841344746, 0.841344746};
    static const double slope[] = {NAN, NAN, 1.08331547, NAN, 1.08331547, 1.08331547};
    static const double swiglu[] = {NAN, INFINITY, 0.731058579};
    struct df_backend *backend = device->backend;
    void *in = test_put_act(device, x, 6), *gradient = test_put_act(device, dy, 6),
         *y = test_buffer_act(device, 6);
    assert_int_equal(backend->ops->gelu_forward(backend, in, y, 6), 0);
    test_near_act(device, "gelu", test_get_act(device, y, 6), gelu, 6, 6e-5);
    assert_int_equal(backend->ops->gelu_backward(backend, in, gradient, y, 6), 0);
    test_near_act(device, "gelu gradient", test_get_act(device, y, 6), slope, 6, 8e-5);
    assert_int_equal(backend->ops->swiglu_forward(backend, in, y, 1, 3), 0);
    test_near_act(device, "swiglu", test_get_act(device, y, 3), swiglu, 3, 5e-7);
}

static void special_values_pass_through(void **state)
{
    (void)state;
    test_in_all_types(check_special_values);
}

/* Far out, the values are exact: x, or 0. */
static void check_limits(struct test_device *device)
{
    static const float x[] = {INFINITY, 3e38f, 40.0f, -40.0f, -3e38f, 0.0f, -0.0f};
    static const float y[] = {INFINITY, 3e38f, 40.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    const size_t n = sizeof x / sizeof *x;
    float *out = test_buffer_f32(device, n);
    assert_int_equal(
        device->backend->ops->gelu_forward(device->backend, test_put_f32(device, x, n), out, (int64_t)n), 0);
    const float *got = test_get_f32(device, out, n);
    for (size_t i = 0; i < n; i++)
        assert_true(got[i] == y[i]);
}

static void gelu_keeps_its_limits(void **state)
{
    (void)state;
    test_on_threads(check_limits);
}

/* The errors that vector_math.h promises. */
static void elementary_functions_are_accurate(void **state)
{
    (void)state;
    for (double at = -87.3; at < 88.3; at += 1e-3) {
        const double x = (double)(float)at, want = exp(x);
        if (fabs((double)df_expf_fast((float)x) - want) > 1.5e-7 * want)
            fail_msg("exp(%.9g) is %.9g", x, (double)df_expf_fast((float)x));
    }
    for (double at = -13.0; at < 9.0; at += 1e-4) {
        const double x = (double)(float)at, want = 0.5 * erfc(-x / sqrt(2.0));
        float exponential;
        const double error = fabs((double)df_normal_cdf_fast((float)x, &exponential) - want);
        if (error > 2.1e-7 || error > 1e-5 * want)
            fail_msg("the normal distribution at %.9g is off by %g", x, error);
        assert_true(fabs((double)df_odd_polynomial(&df_rough_cdf, (float)x) - want) <= 1.4e-5);
        const double slope = want + x * exp(-0.5 * x * x) / sqrt(2.0 * 3.14159265358979324);
        assert_true(fabs((double)df_odd_polynomial(&df_rough_gelu_slope, (float)x) - slope) <= 7e-5);
        assert_true(fabs((double)exponential - exp(-0.5 * x * x)) <= 1e-5 * exp(-0.5 * x * x));
    }
}

static void elementary_functions_keep_their_limits(void **state)
{
    float exponential;
    (void)state;
    assert_true(df_expf_fast(0.0f) == 1.0f);
    assert_true(df_expf_fast(-INFINITY) == 0.0f);
    assert_true(df_expf_fast(-1000.0f) == 0.0f);
    assert_true(df_expf_fast(INFINITY) > 2.4e38f);
    assert_true(isnan(df_expf_fast(NAN)));
    assert_true(df_sigmoid_fast(-INFINITY) < 1e-38f);
    assert_true(df_sigmoid_fast(INFINITY) == 1.0f);
    assert_true(isnan(df_sigmoid_fast(NAN)));
    assert_true(df_normal_cdf_fast(-INFINITY, &exponential) == 0.0f);
    assert_true(df_normal_cdf_fast(INFINITY, &exponential) == 1.0f);
    assert_true(isnan(df_normal_cdf_fast(NAN, &exponential)));
    assert_true(df_odd_polynomial(&df_rough_cdf, -INFINITY) == 0.0f &&
                df_odd_polynomial(&df_rough_gelu_slope, -INFINITY) == 0.0f);
    assert_true(fabsf(df_odd_polynomial(&df_rough_cdf, INFINITY) - 1.0f) <= 1.4e-5f);
    assert_true(fabsf(df_odd_polynomial(&df_rough_gelu_slope, INFINITY) - 1.0f) <= 7e-5f);
    assert_true(isnan(df_odd_polynomial(&df_rough_cdf, NAN)) &&
                isnan(df_odd_polynomial(&df_rough_gelu_slope, NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_keeps_its_limits),
        cmocka_unit_test(gelu_matches_pytorch),
        cmocka_unit_test(special_values_pass_through),
        cmocka_unit_test(elementary_functions_are_accurate),
        cmocka_unit_test(elementary_functions_keep_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
