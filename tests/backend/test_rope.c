/* RoPE against the scalar reference; the inverse against the transpose that finite differences give. */
#include "device.h"
#include "reference.h"

#include "support/cmocka_all.h"

#include <math.h>
#include <string.h>

struct rope_case {
    struct df_attention_shape shape;
    int64_t prefix;
    const float *sin, *cos;
    const double *dy;
    double *y;
    size_t count;
};

static double weighted_sum(const double *x, void *context)
{
    const struct rope_case *c = context;
    double sum = 0.0;
    memcpy(c->y, x, c->count * sizeof(double));
    ref_rope(c->y, c->shape, c->prefix, c->sin, c->cos);
    for (size_t i = 0; i < c->count; i++)
        sum += c->y[i] * c->dy[i];
    return sum;
}

static void check_case(struct test_device *device, struct df_attention_shape shape, int64_t prefix,
                       bool periodic)
{
    struct df_backend *backend = device->backend;
    const size_t n = (size_t)(shape.batch * shape.tokens * 3 * shape.heads * shape.head_size);
    const size_t table = (size_t)((shape.tokens - prefix) * shape.head_size);
    const float *x = test_random_act(device, n, 0.0, 1.0);
    float *angles = test_random(device, table, 0.0, 1.0), *sin_table = test_random(device, table, 0.0, 1.0);
    /* A table of true rotations, or one whose halves have nothing to do with each other. */
    for (size_t i = 0; i < table; i++) {
        const size_t half = (size_t)shape.head_size / 2, column = i % (size_t)shape.head_size;
        const double angle = (double)angles[periodic && column >= half ? i - half : i];
        sin_table[i] = (float)sin(angle);
    }
    for (size_t i = 0; i < table; i++)
        angles[i] = periodic ? (float)sqrt(1.0 - (double)sin_table[i] * (double)sin_table[i]) : angles[i];
    struct rope_case c = {shape, prefix, sin_table, angles, test_widen(device, x, n), test_doubles(device, n),
                          n};
    double *want = test_widen(device, x, n), *transposed = test_doubles(device, n),
           *origin = test_doubles(device, n);
    float *sin_at = test_put_f32(device, sin_table, table), *cos_at = test_put_f32(device, angles, table);
    void *turned = test_put_act(device, x, n), *back = test_put_act(device, x, n);

    ref_rope(want, shape, prefix, sin_table, angles);
    assert_int_equal(backend->ops->rope(backend, turned, shape, prefix, sin_at, cos_at, false), 0);
    test_near_act(device, "rope", test_get_act(device, turned, n), want, n, 5e-7);
    if (n <= 4000) {
        test_numeric_gradient(weighted_sum, &c, origin, n, transposed);
        assert_int_equal(backend->ops->rope(backend, back, shape, prefix, sin_at, cos_at, true), 0);
        test_near_act(device, "rope gradient", test_get_act(device, back, n), transposed, n, 1e-6);
    }
    if (periodic) {
        assert_int_equal(backend->ops->rope(backend, turned, shape, prefix, sin_at, cos_at, true), 0);
        /* In bfloat16 the partner of a small number, as large as 5, was rounded on the way. */
        test_near_act(device, "rope there and back", test_get_act(device, turned, n), c.dy, n,
                      backend->compute == DF_BF16 ? 0.03 : 1e-6);
    }
    test_release(device);
}

static void check_rope(struct test_device *device)
{
    check_case(device, (struct df_attention_shape){1, 1, 1, 64}, 0, true);
    check_case(device, (struct df_attention_shape){2, 6, 1, 64}, 5, false);
    check_case(device, (struct df_attention_shape){1, 5, 3, 64}, 1, true);
    check_case(device, (struct df_attention_shape){2, 3, 1, 128}, 0, false);
    check_case(device, (struct df_attention_shape){2, 22, 3, 128}, 5, true);
}

static void rope_matches(void **state)
{
    (void)state;
    test_in_all_types(check_rope);
}

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
        cmocka_unit_test(rope_matches),
        cmocka_unit_test(not_a_number_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
