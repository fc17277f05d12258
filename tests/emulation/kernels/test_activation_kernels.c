/* GELU, SwiGLU and AdamW: every number of elements in the last vector, several blocks, in place. */
#include "device_arrays.h"

#include "backend/reference.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <math.h>

static const enum df_dtype types[] = {DF_F32, DF_BF16};

static double gelu_slope(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-0.5 * x * x) / sqrt(2.0 * acos(-1.0));
}

static void check_gelu(int64_t n, enum df_dtype type)
{
    const float *x = host_normals(n, type, 0.0, 2.5, 1), *dy = host_normals(n, type, 0.0, 1.0, 2);
    const void *in = put_values(x, n, type);
    void *gradient = put_values(dy, n, type), *out = device_room((size_t)n * df_dtype_size(type));
    double *want = host_zeros(n), *want_dx = host_zeros(n);

    for (int64_t i = 0; i < n; i++) {
        want[i] = ref_gelu((double)x[i]);
        want_dx[i] = (double)dy[i] * gelu_slope((double)x[i]);
    }
    assert_ran(df_launch_gelu_forward(NULL, in, out, type, n));
    assert_values("gelu", get_values(out, n, type), want, n, type, 5e-7);
    assert_ran(df_launch_gelu_backward(NULL, in, gradient, out, type, n));
    assert_values("gelu gradient", get_values(out, n, type), want_dx, n, type, 5e-7);
    assert_ran(df_launch_gelu_backward(NULL, in, gradient, gradient, type, n));
    assert_values("gelu gradient in place", get_values(gradient, n, type), want_dx, n, type, 5e-7);
    release_arrays();
}

static void gelu_matches(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        for (int64_t n = 1; n <= 17; n++)
            check_gelu(n, types[k]);
        check_gelu(1024, types[k]);
        check_gelu(2048, types[k]);
        check_gelu(6151, types[k]);
    }
}

/* Far out, the values are exact: x, or 0 with x's sign. */
static void gelu_keeps_its_limits(void **state)
{
    static const float x[] = {INFINITY, 3e38f, 40.0f, -40.0f, -3e38f, 0.0f, -0.0f, NAN};
    static const float y[] = {INFINITY, 3e38f, 40.0f, -0.0f, -0.0f, 0.0f, -0.0f, NAN};
    const float *got;
    void *out = device_room(sizeof x);

    (void)state;
    assert_ran(df_launch_gelu_forward(NULL, put_bytes(x, sizeof x), out, DF_F32, 8));
    got = get_values(out, 8, DF_F32);
    for (int i = 0; i < 8; i++)
        assert_true(isnan(y[i]) ? isnan(got[i]) : got[i] == y[i]);
    release_arrays();
}

static void check_swiglu(int64_t rows, int64_t hidden, enum df_dtype type)
{
    const int64_t n = rows * hidden;
    const float *x = host_normals(2 * n, type, 0.0, 3.0, 3), *dy = host_normals(n, type, 0.0, 1.0, 4);
    void *in = put_values(x, 2 * n, type), *out = device_room((size_t)n * df_dtype_size(type));
    void *dx = device_room((size_t)(2 * n) * df_dtype_size(type));
    const void *gradient = put_values(dy, n, type);
    double *want = host_zeros(n), *want_dx = host_zeros(2 * n);

    ref_swiglu(host_doubles(x, 2 * n), want, rows, hidden);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i / hidden * 2 * hidden + i % hidden;
        const double gate = (double)x[at], value = (double)x[at + hidden], s = 1.0 / (1.0 + exp(-gate));
        want_dx[at] = (double)dy[i] * value * s * (1.0 + gate * (1.0 - s));
        want_dx[at + hidden] = (double)dy[i] * gate * s;
    }
    assert_ran(df_launch_swiglu_forward(NULL, in, out, type, rows, hidden));
    assert_values("swiglu", get_values(out, n, type), want, n, type, 5e-7);
    assert_ran(df_launch_swiglu_backward(NULL, in, gradient, dx, type, rows, hidden));
    assert_values("swiglu gradient", get_values(dx, 2 * n, type), want_dx, 2 * n, type, 1e-6);
    assert_ran(df_launch_swiglu_backward(NULL, in, gradient, in, type, rows, hidden));
    assert_values("swiglu gradient in place", get_values(in, 2 * n, type), want_dx, 2 * n, type, 1e-6);
    release_arrays();
}

static void swiglu_matches(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        check_swiglu(1, 1, types[k]);
        check_swiglu(3, 17, types[k]);
        check_swiglu(5, 4, types[k]); /* a vector of floats, but half of one of bfloat16 */
        check_swiglu(3, 40, types[k]);
        check_swiglu(2, 259, types[k]);
        check_swiglu(2, 2056, types[k]); /* more than a block */
    }
    check_swiglu(65537, 4, DF_F32); /* more rows than a grid has in its second dimension */
}

static void check_adamw(int64_t n, int64_t step, double eps)
{
    const struct df_adamw settings = {3e-4, 0.9, 0.999, eps, 0.05, step};
    const float *p = host_normals(n, DF_F32, 0.0, 1.0, 5), *g = host_normals(n, DF_F32, 0.0, 0.1, 6);
    const float *m = host_normals(n, DF_F32, 0.0, 0.1, 7), *v = host_normals(n, DF_F32, 0.5, 0.1, 8);
    double *want_p = host_doubles(p, n), *want_m = host_doubles(m, n), *want_v = host_doubles(v, n);
    float *parameter = put_values(p, n, DF_F32), *first = put_values(m, n, DF_F32);
    float *second = put_values(v, n, DF_F32);

    for (int64_t i = 0; i < n; i++)
        ref_adamw(&settings, &want_p[i], (double)g[i], &want_m[i], &want_v[i]);
    assert_ran(df_launch_adamw(NULL, &settings, parameter, put_values(g, n, DF_F32), first, second, n));
    assert_values("parameter", get_values(parameter, n, DF_F32), want_p, n, DF_F32, 2e-7);
    assert_values("first moment", get_values(first, n, DF_F32), want_m, n, DF_F32, 1e-7);
    assert_values("second moment", get_values(second, n, DF_F32), want_v, n, DF_F32, 1e-7);
    release_arrays();
}

static void adamw_matches(void **state)
{
    (void)state;
    for (int64_t n = 1; n <= 9; n++)
        check_adamw(n, n, 1e-8);
    check_adamw(1024, 1, 1e-8);
    check_adamw(3073, 1000, 0.1);
}

static void nothing_is_no_work(void **state)
{
    const struct df_adamw settings = {1e-3, 0.9, 0.999, 1e-8, 0.01, 1};

    (void)state;
    assert_ran(df_launch_gelu_forward(NULL, NULL, NULL, DF_F32, 0));
    assert_ran(df_launch_gelu_backward(NULL, NULL, NULL, NULL, DF_BF16, 0));
    assert_ran(df_launch_swiglu_forward(NULL, NULL, NULL, DF_F32, 0, 8));
    assert_ran(df_launch_swiglu_backward(NULL, NULL, NULL, NULL, DF_F32, 0, 8));
    assert_ran(df_launch_adamw(NULL, &settings, NULL, NULL, NULL, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_matches),       cmocka_unit_test(gelu_keeps_its_limits),
        cmocka_unit_test(swiglu_matches),     cmocka_unit_test(adamw_matches),
        cmocka_unit_test(nothing_is_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
