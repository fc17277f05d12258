/* RoPE's kernel against plain loops in double precision. */
#include "backend/arrays.h"
#include "device_arrays.h"

#include "kernels/kernels.h"

/* The rotation in double precision, or its transpose, of one head. */
static void reference_rotate(const float *x, const float *sin, const float *cos, int64_t half, bool inverse,
                             double *y)
{
    for (int64_t i = 0; i < half; i++) {
        const double low = x[i], high = x[i + half];
        y[i] = low * cos[i] + (inverse ? high * sin[i + half] : -high * sin[i]);
        y[i + half] = high * cos[i + half] + (inverse ? -low * sin[i] : low * sin[i + half]);
    }
}

static void check_rope(enum df_dtype type, struct df_attention_shape shape, int64_t prefix, bool inverse)
{
    const int64_t size = shape.head_size, slices = shape.batch * shape.tokens * 3 * shape.heads;
    const int64_t count = slices * size, table = (shape.tokens - prefix) * size;
    float *before = random_values(type, count, 1);
    float *sin = random_array(table, 2), *cos = random_array(table, 3);
    void *qkv = put_values(before, count, type);
    const float *sin_at = put_values(sin, table, DF_F32), *cos_at = put_values(cos, table, DF_F32);
    double want[128];

    assert_ran(df_launch_rope(NULL, qkv, type, shape, prefix, sin_at, cos_at, inverse));
    const float *after = get_values(qkv, count, type);
    for (int64_t slice = 0; slice < slices; slice++) {
        const int64_t token = slice / (3 * shape.heads) % shape.tokens, patch = token - prefix;
        const float *x = before + slice * size, *y = after + slice * size;
        if (patch < 0 || slice / shape.heads % 3 == 2) {
            assert_same_bits(x, y, size);
            continue;
        }
        reference_rotate(x, sin + patch * size, cos + patch * size, size / 2, inverse, want);
        for (int64_t i = 0; i < size; i++)
            assert_close(y[i], want[i], type == DF_BF16 ? fabs(want[i]) / 256 + 1e-6 : 3e-7);
    }
    release_arrays();
    free(before);
    free(sin);
    free(cos);
}

static void test_rope(void **state)
{
    static const struct df_attention_shape shapes[] = {{1, 1, 1, 64}, {2, 6, 1, 64},  {1, 22, 3, 64},
                                                       {2, 3, 9, 64}, {2, 7, 1, 128}, {1, 13, 5, 128}};

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int way = 0; way < 4; way++)
            check_rope(way / 2 ? DF_BF16 : DF_F32, shapes[i], (int64_t)i % 3 * (shapes[i].tokens > 5),
                       way % 2);
    }
    check_rope(DF_F32, (struct df_attention_shape){1, 2, 1, 64}, 2, false); /* no patches */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
