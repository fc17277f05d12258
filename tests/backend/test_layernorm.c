/* LayerNorm's golden values, torch.nn.functional.layer_norm of PyTorch 2, and what it does with NaN. */
#include "device.h"

#include "support/cmocka_all.h"

#include <math.h>

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
    float *mean = test_buffer_f32(device, 2), *rstd = test_buffer_f32(device, 2);
    void *act = test_buffer_act(device, 10), *gradient = test_put_act(device, dy, 10);
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
    float *mean = test_buffer_f32(device, 3), *rstd = test_buffer_f32(device, 3);
    void *act = test_buffer_act(device, 6), *gradient = test_put_act(device, dy, 6);
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
        cmocka_unit_test(layernorm_matches_pytorch),
        cmocka_unit_test(not_a_number_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
