/* The gradient's norm where its values are no usual numbers, and the factor that clipping makes of it. Other
 * cases are in src/backend/cases/gradient.c. */
#include "device.h"

#include "support/cmocka_all.h"

#include <math.h>

#define COUNT 1030 /* more than a block takes, and no whole number of vectors */

/* What becomes of values that are all `usual`, but for one. */
static struct df_gradient_scale scale_of(struct test_device *device, float usual, float one, double longest)
{
    struct df_backend *backend = device->backend;
    float values[COUNT];

    for (int i = 0; i < COUNT; i++)
        values[i] = i == COUNT - 2 ? one : usual;
    float *gradient = test_put_f32(device, values, COUNT);
    struct df_gradient_scale *scale = test_buffer(device, sizeof *scale);
    assert_int_equal(backend->ops->gradient_scale(backend, gradient, COUNT, NULL, longest, scale), 0);
    return *(struct df_gradient_scale *)test_get(device, scale, sizeof *scale);
}

/* As clip_grad_norm_ of PyTorch: NaN stays NaN, and infinity leaves zeros of all that is finite. */
static void check_not_finite(struct test_device *device)
{
    struct df_gradient_scale scale = scale_of(device, 0.5f, NAN, 1.0);
    assert_true(isnan(scale.norm) && isnan(scale.factor));
    scale = scale_of(device, 0.5f, INFINITY, 1.0);
    assert_true(isinf(scale.norm) && scale.factor == 0.0f);
    scale = scale_of(device, 0.5f, NAN, 0.0);
    assert_true(isnan(scale.norm) && scale.factor == 1.0f);
}

static void check_norm(struct test_device *device, float value)
{
    const double norm = sqrt((double)COUNT) * (double)value;
    const struct df_gradient_scale scale = scale_of(device, value, value, 1.0);
    const double clipped = (double)scale.norm * (double)scale.factor;

    assert_true(fabs((double)scale.norm - norm) <= 1e-6 * norm);
    assert_true(fabs(clipped - fmin(1.0, norm)) <= 1e-5 * fmin(1.0, norm));
}

/* Of values whose squares are too large for a float32, or too small. */
static void check_size(struct test_device *device)
{
    check_norm(device, 1e30f);
    check_norm(device, 1e-30f);
}

static void what_is_not_finite_shows(void **state)
{
    test_on_threads(check_not_finite);
}

static void squares_may_be_of_any_size(void **state)
{
    test_on_threads(check_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_finite_shows),
        cmocka_unit_test(squares_may_be_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
