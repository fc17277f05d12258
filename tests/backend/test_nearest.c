/* Nearest-neighbour resizing against the scalar reference; the gradient against finite differences. Golden
 * values: torch.nn.functional.interpolate(mode="nearest") of PyTorch 2. */
#include "device.h"
#include "reference.h"

#include "support/cmocka_all.h"

#include <math.h>
#include <string.h>

struct nearest_case {
    int64_t batch, h, w, height, width, channels;
    const double *dy;
    double *y;
};

static double weighted_sum(const double *x, void *context)
{
    const struct nearest_case *c = context;
    const int64_t count = c->batch * c->height * c->width * c->channels;
    double sum = 0.0;
    memset(c->y, 0, (size_t)count * sizeof(double));
    ref_nearest_add(x, c->batch, c->h, c->w, c->y, c->height, c->width, c->channels);
    for (int64_t i = 0; i < count; i++)
        sum += c->y[i] * c->dy[i];
    return sum;
}

static void check_case(struct test_device *device, struct nearest_case c)
{
    struct df_backend *backend = device->backend;
    const size_t small = (size_t)(c.batch * c.h * c.w * c.channels);
    const size_t large = (size_t)(c.batch * c.height * c.width * c.channels);
    const float *x = test_random(device, small, 0.0, 1.0), *dy = test_random(device, large, 0.0, 1.0);
    const float *before = test_random(device, large, 0.0, 1.0);
    double *wide = test_widen(device, x, small), *want = test_doubles(device, large);
    double *want_sum = test_widen(device, before, large), *want_dx = test_doubles(device, small);
    void *in = test_put_f32(device, x, small), *y = test_room_f32(device, large),
         *dx = test_room_f32(device, small);
    void *sum = test_put_f32(device, before, large), *gradient = test_put_f32(device, dy, large);

    ref_nearest_add(wide, c.batch, c.h, c.w, want, c.height, c.width, c.channels);
    ref_nearest_add(wide, c.batch, c.h, c.w, want_sum, c.height, c.width, c.channels);
    assert_int_equal(backend->ops->nearest_forward(backend, in, c.batch, c.h, c.w, y, c.height, c.width,
                                                   c.channels, false),
                     0);
    test_near("nearest", test_get_f32(device, y, large), want, large, 0.0);
    assert_int_equal(backend->ops->nearest_forward(backend, in, c.batch, c.h, c.w, sum, c.height, c.width,
                                                   c.channels, true),
                     0);
    test_near("nearest added", test_get_f32(device, sum, large), want_sum, large, 5e-7);

    c.dy = test_widen(device, dy, large);
    c.y = test_doubles(device, large);
    test_numeric_gradient(weighted_sum, &c, wide, small, want_dx);
    assert_int_equal(backend->ops->nearest_backward(backend, gradient, c.batch, c.height, c.width, dx, c.h,
                                                    c.w, c.channels),
                     0);
    test_near("nearest gradient", test_get_f32(device, dx, small), want_dx, small, 2e-6);
    test_release(device);
}

static void check_nearest(struct test_device *device)
{
    check_case(device, (struct nearest_case){1, 1, 1, 1, 1, 1, NULL, NULL});
    check_case(device, (struct nearest_case){2, 3, 4, 6, 8, 3, NULL, NULL});
    check_case(device, (struct nearest_case){1, 5, 3, 17, 11, 17, NULL, NULL});
    check_case(device, (struct nearest_case){2, 7, 9, 3, 4, 3, NULL, NULL}); /* some pixels have no reader */
    check_case(device, (struct nearest_case){1, 3, 65, 3, 65, 1, NULL, NULL});
    check_case(device, (struct nearest_case){3, 2, 5, 5, 2, 2, NULL, NULL});
    check_case(device, (struct nearest_case){1, 1, 2, 3, 5, 300, NULL,
                                             NULL}); /* more channels than are summed together */
    check_case(device, (struct nearest_case){1, 1, 1, 17, 19, 1, NULL, NULL}); /* 323 readers, rounded once */
}

static void nearest_matches(void **state)
{
    (void)state;
    test_in_all_types(check_nearest);
}

static void check_golden(struct test_device *device)
{
    static const double y[] = {0, 1, 2, 3, 0, 1, 2,  3,  0,  1,  2,  3,  5,  6,
                               7, 8, 5, 6, 7, 8, 10, 11, 12, 13, 10, 11, 12, 13};
    float x[15];
    for (int i = 0; i < 15; i++)
        x[i] = (float)i;
    void *in = test_put_f32(device, x, 15), *out = test_room_f32(device, 28);
    assert_int_equal(device->backend->ops->nearest_forward(device->backend, in, 1, 3, 5, out, 7, 4, 1, false),
                     0);
    test_near("nearest", test_get_f32(device, out, 28), y, 28, 0.0);
}

static void nearest_matches_pytorch(void **state)
{
    (void)state;
    test_in_all_types(check_golden);
}

static void check_special_values(struct test_device *device)
{
    static const float x[] = {NAN, 1, INFINITY}, before[] = {1, 1, INFINITY, 1, 1, 1};
    static const double y[] = {NAN, NAN, INFINITY, 2, INFINITY, INFINITY}, dx[] = {NAN, INFINITY, INFINITY};
    struct df_backend *backend = device->backend;
    void *in = test_put_f32(device, x, 3), *out = test_put_f32(device, before, 6),
         *back = test_room_f32(device, 3);
    assert_int_equal(backend->ops->nearest_forward(backend, in, 1, 1, 3, out, 1, 6, 1, true), 0);
    test_near("nearest added", test_get_f32(device, out, 6), y, 6, 0.0);
    assert_int_equal(backend->ops->nearest_backward(backend, out, 1, 1, 6, back, 1, 3, 1), 0);
    test_near("nearest gradient", test_get_f32(device, back, 3), dx, 3, 0.0);
}

static void special_values_pass_through(void **state)
{
    (void)state;
    test_in_all_types(check_special_values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_matches),
        cmocka_unit_test(nearest_matches_pytorch),
        cmocka_unit_test(special_values_pass_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
