/* AdamW: values of torch.optim.AdamW of PyTorch 2. Its cases are in src/backend/cases/adamw.c. */
#include "device.h"

#include "support/cmocka_all.h"

#include <math.h>

static void check_golden(struct test_device *device)
{
    static const float start[] = {0.5f, -1.25f, 2.0f, 0.0f}, zeros[4] = {0, 0, 0, 0};
    static const float gradients[3][4] = {
        {0.1f, -0.02f, 1e-5f, 0.0f}, {-0.2f, 0.04f, -2e-5f, 0.0f}, {0.3f, -0.06f, 3e-5f, 0.0f}};
    static const double p[] = {0.499702394, -1.24969566, 1.99968934, 0.0};
    static const double m[] = {0.0201000012, -0.00401999988, 2.01000012e-06, 0.0};
    static const double v[] = {0.000139940021, 5.59760065e-06, 1.39940002e-12, 0.0};
    struct df_backend *backend = device->backend;
    float *parameter = test_put_f32(device, start, 4);
    float *first = test_put_f32(device, zeros, 4), *second = test_put_f32(device, zeros, 4);
    const struct df_gradient_scale unclipped = {1.0f, 1.0f};
    const void *scale = test_put(device, &unclipped, sizeof unclipped);
    for (int step = 1; step <= 3; step++) {
        const struct df_adamw settings = {3e-4, 0.9, 0.999, 1e-8, 0.01, step};
        const struct df_adamw_scalars scalars = df_adamw_scalars(&settings);
        const void *on_device = test_put(device, &scalars, sizeof scalars);
        const float *gradient = test_put_f32(device, gradients[step - 1], 4);
        assert_int_equal(
            backend->ops->adamw(backend, on_device, scale, parameter, gradient, first, second, 4), 0);
    }
    test_near("parameter", test_get_f32(device, parameter, 4), p, 4, 1e-7);
    test_near("first moment", test_get_f32(device, first, 4), m, 4, 2e-9);
    test_near("second moment", test_get_f32(device, second, 4), v, 4, 2e-11);
}

/* One number that is not finite, anywhere in the gradients, makes the norm so. */
static void check_kept(struct test_device *device)
{
    static const float start[] = {0.5f, -1.25f, 2.0f, 0.0f, 3.0f}, gradient[] = {1, 2, 3, 4, 5};
    static const float moments[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f};
    static const float norms[] = {NAN, INFINITY};
    const struct df_adamw settings = {3e-4, 0.9, 0.999, 1e-8, 0.01, 2};
    const struct df_adamw_scalars scalars = df_adamw_scalars(&settings);
    struct df_backend *backend = device->backend;
    float *parameter = test_put_f32(device, start, 5), *first = test_put_f32(device, moments, 5),
          *second = test_put_f32(device, moments, 5);

    for (int i = 0; i < 2; i++) {
        const struct df_gradient_scale scale = {norms[i], 1.0f};
        assert_int_equal(backend->ops->adamw(backend, test_put(device, &scalars, sizeof scalars),
                                             test_put(device, &scale, sizeof scale), parameter,
                                             test_put_f32(device, gradient, 5), first, second, 5),
                         0);
    }
    assert_memory_equal(test_get_f32(device, parameter, 5), start, sizeof start);
    assert_memory_equal(test_get_f32(device, first, 5), moments, sizeof moments);
    assert_memory_equal(test_get_f32(device, second, 5), moments, sizeof moments);
}

static void what_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    test_on_threads(check_kept);
}

static void adamw_matches_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw_matches_pytorch),
        cmocka_unit_test(what_is_not_finite_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
