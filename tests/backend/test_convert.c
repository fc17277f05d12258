/* Conversion, bit for bit, and what is not converted. */
#include "device.h"

#include "dinoft/error.h"

#include "support/cmocka_all.h"

#include <string.h>

/* Every bfloat16, and float32 around every one and every tie between two: the same bits as one at a time. */
static void check_every_bfloat16(struct test_device *device)
{
    static const uint32_t tails[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    enum { ALL = 65536, TAILS = 6, NUMBERS = ALL * TAILS };
    struct df_backend *backend = device->backend;
    uint32_t *numbers = (uint32_t *)(void *)test_random(device, NUMBERS, 0.0, 0.0);
    uint16_t *halves = (uint16_t *)(void *)test_random(device, ALL, 0.0, 0.0);
    for (uint32_t i = 0; i < NUMBERS; i++)
        numbers[i] = i / TAILS << 16 | tails[i % TAILS];
    for (uint32_t i = 0; i < ALL; i++)
        halves[i] = (uint16_t)i;
    void *in = test_put(device, numbers, NUMBERS * 4), *out = test_buffer(device, NUMBERS * 2);
    assert_int_equal(backend->ops->convert(backend, in, DF_F32, out, DF_BF16, NUMBERS), 0);
    const uint16_t *narrow = test_get(device, out, NUMBERS * 2);
    for (size_t i = 0; i < NUMBERS; i++) {
        float value;
        memcpy(&value, &numbers[i], sizeof(value));
        if (narrow[i] != df_f32_to_bf16(value))
            fail_msg("%08x became %04x, expected %04x", numbers[i], narrow[i], df_f32_to_bf16(value));
    }
    assert_int_equal(
        backend->ops->convert(backend, test_put(device, halves, ALL * 2), DF_BF16, in, DF_F32, ALL), 0);
    const uint32_t *wide = test_get(device, in, ALL * 4);
    for (uint32_t i = 0; i < ALL; i++)
        assert_int_equal(wide[i], i << 16);
}

static void every_bfloat16_is_converted(void **state)
{
    (void)state;
    test_on_threads(check_every_bfloat16);
}

static void check_unknown_conversion(struct test_device *device)
{
    struct df_backend *backend = device->backend;
    void *a = test_buffer(device, 16), *b = test_buffer(device, 16);
    assert_int_equal(backend->ops->convert(backend, a, DF_F32, b, DF_I32, 1), -1);
    assert_ptr_equal(strstr(df_error_text(), "cannot convert float32 to int32"), df_error_text());
    assert_int_equal(backend->ops->convert(backend, a, DF_F16, b, DF_BF16, 1), -1);
    assert_ptr_equal(strstr(df_error_text(), "cannot convert float16 to bfloat16: "), df_error_text());
}

static void unknown_conversions_are_refused(void **state)
{
    (void)state;
    test_on_threads(check_unknown_conversion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bfloat16_is_converted),
        cmocka_unit_test(unknown_conversions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
