/* LayerNorm on chosen rows against the scalar reference, its gradient against finite differences. Golden
 * values: torch.nn.functional.layer_norm of PyTorch 2. */
#include "device.h"
#include "reference.h"

#include "support/cmocka_all.h"

#include <math.h>

struct layernorm_case {
    struct df_token_rows rows;
    int64_t dim;
    const float *gamma, *beta;
    const double *dy;
    double *y;
};

static double weighted_sum(const double *x, void *context)
{
    const struct layernorm_case *c = context;
    double sum = 0.0;
    ref_layernorm(x, c->rows, c->dim, c->gamma, c->beta, 1e-6f, c->y, NULL, NULL);
    for (int64_t i = 0; i < c->rows.batch * c->rows.rows * c->dim; i++)
        sum += c->y[i] * c->dy[i];
    return sum;
}

static void check_case(struct test_device *device, struct df_token_rows rows, int64_t dim, double mean)
{
    struct df_backend *backend = device->backend;
    const size_t all = (size_t)(rows.batch * rows.tokens * dim), chosen = (size_t)(rows.batch * rows.rows);
    const size_t n = chosen * (size_t)dim;
    const float *x = test_random(device, all, mean, 1.5), *dy = test_random_act(device, n, 0.0, 1.0);
    const float *gamma = test_random(device, (size_t)dim, 1.0, 0.3),
                *beta = test_random(device, (size_t)dim, 0.0, 0.3);
    const float *before = test_random(device, all, 0.0, 1.0);
    double *want = test_doubles(device, n), *want_mean = test_doubles(device, chosen);
    double *want_rstd = test_doubles(device, chosen), *want_dx = test_doubles(device, all);
    double *wide = test_widen(device, x, all);
    struct layernorm_case c = {rows, dim, gamma, beta, test_widen(device, dy, n), test_doubles(device, n)};
    float *in = test_put_f32(device, x, all), *dx = test_put_f32(device, before, all);
    float *g = test_put_f32(device, gamma, (size_t)dim), *b = test_put_f32(device, beta, (size_t)dim);
    float *means = test_room_f32(device, chosen), *rstds = test_room_f32(device, chosen);
    void *y = test_room_act(device, n), *gradient = test_put_act(device, dy, n);

    ref_layernorm(wide, rows, dim, gamma, beta, 1e-6f, want, want_mean, want_rstd);
    assert_int_equal(backend->ops->layernorm_forward(backend, in, rows, dim, g, b, 1e-6f, y, backend->compute,
                                                     means, rstds),
                     0);
    /* A mean of 100 leaves the input itself with that many fewer digits. */
    test_near_act(device, "layernorm", test_get_act(device, y, n), want, n, mean > 10.0 ? 1e-4 : 2e-6);
    test_near("mean", test_get_f32(device, means, chosen), want_mean, chosen, 1e-6);
    if (dim > 1)
        test_near("rstd", test_get_f32(device, rstds, chosen), want_rstd, chosen, 1e-4);
    assert_int_equal(
        backend->ops->layernorm_forward(backend, in, rows, dim, g, b, 1e-6f, y, backend->compute, NULL, NULL),
        0);
    test_near_act(device, "layernorm alone", test_get_act(device, y, n), want, n, mean > 10.0 ? 1e-4 : 2e-6);

    test_numeric_gradient(weighted_sum, &c, wide, all, want_dx);
    for (size_t i = 0; i < all; i++)
        want_dx[i] += (double)before[i];
    assert_int_equal(backend->ops->layernorm_backward(backend, gradient, backend->compute, in, rows, dim, g,
                                                      means, rstds, dx),
                     0);
    test_near("layernorm gradient", test_get_f32(device, dx, all), want_dx, all,
              dim < 4 || mean > 10.0 ? 1e-3 : 1e-5);
    test_release(device);
}

static void check_layernorm(struct test_device *device)
{
    static const int64_t dims[] = {1, 3, 17, 65, 130};
    for (size_t k = 0; k < sizeof(dims) / sizeof(*dims); k++) {
        check_case(device, (struct df_token_rows){1, 1, 0, 1}, dims[k], 0.0);
        check_case(device, (struct df_token_rows){2, 5, 2, 3}, dims[k], 0.5);
        check_case(device, (struct df_token_rows){3, 3, 0, 1}, dims[k], -1.0);
    }
    check_case(device, (struct df_token_rows){1, 3, 1, 2}, 384, 100.0);
}

static void layernorm_matches(void **state)
{
    (void)state;
    test_in_all_types(check_layernorm);
}

static void check_golden(struct test_device *device)
{
    static const float x[] = {1, 2, 4, -3, 0.5f, 10, 10.5f, 9, 11, 10.25f};
    static const float gamma[] = {1, 0.5f, 2, -1, 1.5f}, beta[] = {0, 0.1f, -0.2f, 0.3f, -0.4f};
    static const float dy[] = {0.1f, -0.2f, 0.3f, 0.4f, -0.5f, 1, 0, -1, 0.5f, 0.25f};
    static const double y[] = {0.043685209,  0.340268582, 2.50848222,  2.00372267,   -0.662111163,
                               -0.226132676, 0.363822401, -3.66737533, -0.981422365, -0.173865885};
    static const double dx[] = {0.0857030153, -0.062026307,  0.123052239, 0.108712718, -0.255441725,
                                2.02791786,   -0.0835142136, -1.28699303, -1.44116879, 0.78375721};
    static const float zeros[10] = {0};
    struct df_backend *backend = device->backend;
    const struct df_token_rows rows = {1, 2, 0, 2};
    float *in = test_put_f32(device, x, 10), *out = test_put_f32(device, zeros, 10);
    float *g = test_put_f32(device, gamma, 5), *b = test_put_f32(device, beta, 5);
    float *mean = test_room_f32(device, 2), *rstd = test_room_f32(device, 2);
    void *act = test_room_act(device, 10), *gradient = test_put_act(device, dy, 10);
    assert_int_equal(
        backend->ops->layernorm_forward(backend, in, rows, 5, g, b, 1e-6f, act, backend->compute, mean, rstd),
        0);
    test_near_act(device, "layernorm", test_get_act(device, act, 10), y, 10, 1e-6);
    assert_int_equal(backend->ops->layernorm_backward(backend, gradient, backend->compute, in, rows, 5, g,
                                                      mean, rstd, out),
                     0);
    test_near("layernorm gradient", test_get_f32(device, out, 10), dx, 10, 2e-6);
}

static void layernorm_matches_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_golden);
}

/* A row with a NaN is lost, those beside it are not. */
static void check_not_a_number(struct test_device *device)
{
    static const float x[] = {1, -1, NAN, 2, 1, -1}, dy[] = {1, 2, 1, 1, 1, 2};
    static const float gamma[] = {1, 1}, beta[] = {0, INFINITY}, zeros[6] = {0};
    static const double y[] = {1, INFINITY, NAN, NAN, 1, INFINITY}, dx[] = {0, 0, NAN, NAN, 0, 0};
    struct df_backend *backend = device->backend;
    const struct df_token_rows rows = {1, 3, 0, 3};
    float *in = test_put_f32(device, x, 6), *out = test_put_f32(device, zeros, 6);
    float *g = test_put_f32(device, gamma, 2), *b = test_put_f32(device, beta, 2);
    float *mean = test_room_f32(device, 3), *rstd = test_room_f32(device, 3);
    void *act = test_room_act(device, 6), *gradient = test_put_act(device, dy, 6);
    assert_int_equal(
        backend->ops->layernorm_forward(backend, in, rows, 2, g, b, 1e-6f, act, backend->compute, mean, rstd),
        0);
    test_near_act(device, "layernorm", test_get_act(device, act, 6), y, 6, 1e-6);
    assert_int_equal(backend->ops->layernorm_backward(backend, gradient, backend->compute, in, rows, 2, g,
                                                      mean, rstd, out),
                     0);
    test_near_act(device, "layernorm gradient", test_get_f32(device, out, 6), dx, 6, 2e-6);
}

static void not_a_number_passes_through(void **state)
{
    (void)state;
    test_in_all_types(check_not_a_number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layernorm_matches),
        cmocka_unit_test(layernorm_matches_pytorch),
        cmocka_unit_test(not_a_number_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
