/* What RoPE does with NaN. */
#include "device.h"

#include "support/cmocka_all.h"

#include <math.h>

/* A NaN in q reaches its partner in the head, k beside it and v stay. */
static void check_not_a_number(struct test_device *device)
{
    enum { HEAD = 64, COUNT = 3 * HEAD };
    struct df_backend *backend = device->backend;
    const struct df_attention_shape shape = {1, 1, 1, HEAD};
    float x[COUNT], sin_table[HEAD], cos_table[HEAD];
    double want[COUNT];
    for (int i = 0; i < COUNT; i++)
        x[i] = i == 3 ? NAN : i >= 2 * HEAD ? INFINITY : 1.0f;
    for (int i = 0; i < HEAD; i++) {
        sin_table[i] = 0.5f;
        cos_table[i] = 2.0f;
    }
    for (int i = 0; i < COUNT; i++)
        want[i] = i >= 2 * HEAD                 ? INFINITY
                  : i == 3 || i == 3 + HEAD / 2 ? NAN
                  : i % HEAD < HEAD / 2         ? 1.5
                                                : 2.5;
    void *qkv = test_put_act(device, x, COUNT);
    assert_int_equal(backend->ops->rope(backend, qkv, shape, 0, test_put_f32(device, sin_table, HEAD),
                                        test_put_f32(device, cos_table, HEAD), false),
                     0);
    test_near_act(device, "rope", test_get_act(device, qkv, COUNT), want, COUNT, 0.0);
}

static void not_a_number_passes_through(void **state)
{
    (void)state;
    test_in_all_types(check_not_a_number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_a_number_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
