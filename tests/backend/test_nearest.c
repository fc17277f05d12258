/* Nearest-neighbour resizing: golden values of torch.nn.functional.interpolate(mode="nearest") of PyTorch 2,
 * values that are no numbers, and gradients between many lengths. */
#include "device.h"
#include "one_case.h"

#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include <math.h>

static void check(struct df_backend *backend, const char *operation, int64_t from, int64_t to)
{
    const int64_t sizes[DF_CASE_SIZES] = {1, 1, from, 1, to, 1};
    struct df_case c = test_case(operation, sizes, DF_F32);
    struct df_case_run run = test_run_case(&c, backend);
    test_agrees_with_loops(&c, &run);
}

/* Every pair of lengths up to 40, one channel: each reader is found, and by one pixel only. */
static void every_reader_is_found(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 1);
    assert_non_null(backend);
    (void)state;
    for (int64_t from = 1; from <= 40; from += 3) {
        for (int64_t to = 1; to <= 40; to++) {
            check(backend, "nearest_forward", from, to);
            check(backend, "nearest_backward", from, to);
        }
    }
    df_backend_close(backend);
}

static void check_golden(struct test_device *device)
{
    static const double y[] = {0, 1, 2, 3, 0, 1, 2,  3,  0,  1,  2,  3,  5,  6,
                               7, 8, 5, 6, 7, 8, 10, 11, 12, 13, 10, 11, 12, 13};
    float x[15];
    for (int i = 0; i < 15; i++)
        x[i] = (float)i;
    void *in = test_put_f32(device, x, 15), *out = test_buffer_f32(device, 28);
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
         *back = test_buffer_f32(device, 3);
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
        cmocka_unit_test(every_reader_is_found),
        cmocka_unit_test(nearest_matches_pytorch),
        cmocka_unit_test(special_values_pass_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
