/* BatchNorm + ReLU: golden values of torch.nn.BatchNorm2d and relu of PyTorch 2, and values that are no
 * numbers. */
#include "device.h"

#include "support/cmocka_all.h"

#include <math.h>

#define EPS 1e-5f

static void check_golden(struct test_device *device)
{
    static const float x[] = {1, 2, 3, -1, 0.5f, 4, -2, 0},
                       dy[] = {0.1f, -0.2f, 0.3f, 0.4f, -0.5f, 1, 0.2f, -1};
    static const float gamma[] = {1.5f, -0.5f}, beta[] = {0.2f, 0.1f}, zeros[2] = {0, 0}, ones[2] = {1, 1};
    static const double want[] = {0.51583755, 0, 2.20030475, 0.685849309, 0.0947208107, 0, 0, 0.425471842};
    static const double want_dx[] = {0.0850532055, -0.0344227962, 0.145628005, -0.157109082,
                                     -0.393318951, -0.0220659357, 0.16263777,  0.213597819};
    static const double want_dgamma[] = {0.456209838, 0.182264209}, want_dbeta[] = {-0.1, -0.6};
    static const double want_mean[] = {0.0625, 0.125}, want_var[] = {1.32291663, 1.39166665};
    static const double want_eval[] = {1.42262888,  0, 4.03090382, 0.576818764,
                                       0.770560145, 0, 0,          0.152979866};
    struct df_backend *backend = device->backend;
    struct df_batchnorm norm = {4,
                                2,
                                true,
                                EPS,
                                0.1f,
                                test_put_f32(device, gamma, 2),
                                test_put_f32(device, beta, 2),
                                test_put_f32(device, zeros, 2),
                                test_put_f32(device, ones, 2),
                                test_buffer_f32(device, 2),
                                test_buffer_f32(device, 2)};
    void *in = test_put_f32(device, x, 8), *y = test_buffer_f32(device, 8),
         *gradient = test_put_f32(device, dy, 8);
    void *dx = test_buffer_f32(device, 8);
    float *dgamma = test_buffer_f32(device, 2), *dbeta = test_buffer_f32(device, 2);
    assert_int_equal(backend->ops->batchnorm_forward(backend, &norm, true, in, y), 0);
    test_near("batchnorm", test_get_f32(device, y, 8), want, 8, 1e-6);
    test_near("running mean", test_get_f32(device, norm.running_mean, 2), want_mean, 2, 1e-7);
    test_near("running variance", test_get_f32(device, norm.running_var, 2), want_var, 2, 2e-7);
    assert_int_equal(backend->ops->batchnorm_backward(backend, &norm, in, y, gradient, dx, dgamma, dbeta), 0);
    test_near("batchnorm gradient", test_get_f32(device, dx, 8), want_dx, 8, 1e-6);
    test_near("dgamma", test_get_f32(device, dgamma, 2), want_dgamma, 2, 1e-6);
    test_near("dbeta", test_get_f32(device, dbeta, 2), want_dbeta, 2, 1e-6);
    assert_int_equal(backend->ops->batchnorm_forward(backend, &norm, false, in, y), 0);
    test_near("batchnorm in evaluation", test_get_f32(device, y, 8), want_eval, 8, 1e-6);
}

static void batchnorm_matches_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_golden);
}

/* Channels do not touch each other; the ReLU keeps a NaN. */
static void check_not_a_number(struct test_device *device)
{
    static const float x[] = {NAN, 1, INFINITY, -1}, ones[] = {1, 1}, zeros[] = {0, 0};
    static const double evaluation[] = {NAN, 1, INFINITY, 0}, training[] = {NAN, 1, NAN, 0};
    struct df_backend *backend = device->backend;
    struct df_batchnorm norm = {.rows = 2,
                                .channels = 2,
                                .relu = true,
                                .momentum = 0.1f,
                                .gamma = test_put_f32(device, ones, 2),
                                .beta = test_put_f32(device, zeros, 2),
                                .running_mean = test_put_f32(device, zeros, 2),
                                .running_var = test_put_f32(device, ones, 2),
                                .save_mean = test_buffer_f32(device, 2),
                                .save_rstd = test_buffer_f32(device, 2)};
    float *dgamma = test_buffer_f32(device, 2), *dbeta = test_buffer_f32(device, 2);
    void *in = test_put_f32(device, x, 4), *y = test_buffer_f32(device, 4),
         *gradient = test_put_f32(device, x, 4);
    assert_int_equal(backend->ops->batchnorm_forward(backend, &norm, false, in, y), 0);
    test_near("batchnorm in evaluation", test_get_f32(device, y, 4), evaluation, 4, 1e-6);
    assert_int_equal(backend->ops->batchnorm_forward(backend, &norm, true, in, y), 0);
    test_near("batchnorm", test_get_f32(device, y, 4), training, 4, 1e-6);
    assert_int_equal(
        backend->ops->batchnorm_backward(backend, &norm, in, y, gradient, gradient, dgamma, dbeta), 0);
    const float *dx = test_get_f32(device, gradient, 4);
    assert_true(isnan(dx[0]) && isnan(dx[2]) && dx[1] == 0.0f && dx[3] == 0.0f);
}

static void not_a_number_passes_through(void **state)
{
    (void)state;
    test_in_all_types(check_not_a_number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batchnorm_matches_pytorch),
        cmocka_unit_test(not_a_number_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
