/* Bias and its gradient, pixels to patches, patches to tokens, conversion: element by element. */
#include "device.h"

#include "dinoft/error.h"

#include "support/cmocka_all.h"

#include <math.h>
#include <string.h>

/* A block of columns in a wider matrix: what stands beside it must stay. */
static void check_columns(struct test_device *device)
{
    static const int64_t shapes[][3] = {{1, 1, 1}, {3, 17, 17}, {65, 3, 7}, {300, 65, 70}, {1025, 150, 150}};
    struct df_backend *backend = device->backend;
    for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
        const int64_t rows = shapes[k][0], cols = shapes[k][1], ld = shapes[k][2];
        const size_t n = (size_t)(rows * ld), nc = (size_t)cols;
        const float *x = test_random(device, n, 0.3, 1.0), *bias = test_random(device, nc, 0.0, 1.0);
        double *want = test_widen(device, x, n), *sums = test_doubles(device, nc);
        float *data = test_put_f32(device, x, n), *out = test_room_f32(device, nc);
        const struct df_matrix matrix = {data, DF_F32, rows, cols, ld};
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t j = 0; j < cols; j++) {
                sums[j] += want[i * ld + j];
                want[i * ld + j] = (double)(x[i * ld + j] + bias[j]);
            }
        }
        assert_int_equal(backend->ops->column_sum(backend, matrix, out), 0);
        test_near("column sum", test_get_f32(device, out, nc), sums, nc, 1e-6);
        assert_int_equal(backend->ops->add_bias(backend, matrix, test_put_f32(device, bias, nc)), 0);
        test_near("bias", test_get_f32(device, data, n), want, n, 0.0);
        test_release(device);
    }
}

static void check_act_columns(struct test_device *device)
{
    static const int64_t shapes[][3] = {{1, 1, 1}, {3, 17, 17}, {300, 65, 70}, {1025, 300, 301}};
    struct df_backend *backend = device->backend;
    for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
        const int64_t rows = shapes[k][0], cols = shapes[k][1], ld = shapes[k][2];
        const size_t n = (size_t)(rows * ld), nc = (size_t)cols;
        const float *x = test_random_act(device, n, 0.3, 1.0);
        double *sums = test_doubles(device, nc);
        float *out = test_room_f32(device, nc);
        const struct df_matrix matrix = {test_put_act(device, x, n), backend->compute, rows, cols, ld};
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++)
                sums[j] += (double)x[i * ld + j];
        assert_int_equal(backend->ops->column_sum(backend, matrix, out), 0);
        test_near("column sum", test_get_f32(device, out, nc), sums, nc, 1e-6);
        test_release(device);
    }
}

static void columns_match(void **state)
{
    (void)state;
    test_on_threads(check_columns);
    test_in_all_types(check_act_columns);
}

static void check_images(struct test_device *device)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    enum { B = 2, H = 6, W = 9, P = 3, PIXELS = B * H * W * 3 };
    struct df_backend *backend = device->backend;
    uint8_t pixels[PIXELS];
    double image[PIXELS], patches[PIXELS];
    for (int i = 0; i < PIXELS; i++)
        pixels[i] = (uint8_t)df_rng_below(&device->rng, 256);
    for (int at = 0; at < PIXELS; at++) { /* at = ((b * 3 + c) * H + y) * W + x */
        const int x = at % W, y = at / W % H, c = at / (W * H) % 3, b = at / (W * H * 3);
        image[at] =
            ((double)pixels[((b * H + y) * W + x) * 3 + c] / 255.0 - (double)mean[c]) / (double)std[c];
        const int patch = (b * (H / P) + y / P) * (W / P) + x / P;
        patches[(patch * 3 + c) * P * P + y % P * P + x % P] = image[at];
    }
    const uint8_t *in = test_put(device, pixels, sizeof(pixels));
    float *normalized = test_room_f32(device, PIXELS);
    void *rows = test_room_act(device, PIXELS);
    assert_int_equal(backend->ops->image_normalize(backend, in, normalized, B, H, W, mean, std), 0);
    test_near("image", test_get_f32(device, normalized, PIXELS), image, PIXELS, 5e-7);
    assert_int_equal(backend->ops->patchify(backend, normalized, rows, B, H, W, P), 0);
    test_near_act(device, "patches", test_get_act(device, rows, PIXELS), patches, PIXELS, 5e-7);
}

static void images_match(void **state)
{
    (void)state;
    test_in_all_types(check_images);
}

static void check_assembly(struct test_device *device, int64_t prefix_tokens, int64_t dim, bool with_position)
{
    struct df_backend *backend = device->backend;
    const int64_t batch = 2, patches = 7, tokens = prefix_tokens + patches;
    const size_t n = (size_t)(batch * tokens * dim), n_prefix = (size_t)(prefix_tokens * dim);
    const size_t n_patches = (size_t)(patches * dim);
    const float *patch = test_random(device, 2 * n_patches, 0.0, 1.0),
                *prefix = test_random(device, n_prefix, 0.0, 1.0);
    const float *position = test_random(device, n_patches, 0.0, 1.0);
    double *want = test_doubles(device, n);
    for (int64_t i = 0; i < batch * tokens * dim; i++) {
        const int64_t d = i % dim, token = i / dim % tokens, b = i / dim / tokens, p = token - prefix_tokens;
        if (p < 0)
            want[i] = (double)prefix[token * dim + d];
        else
            want[i] =
                (double)(patch[(b * patches + p) * dim + d] + (with_position ? position[p * dim + d] : 0.0f));
    }
    float *x = test_room_f32(device, n);
    const float *pos = test_put_f32(device, position, n_patches);
    assert_int_equal(
        backend->ops->assemble_tokens(backend, test_put_f32(device, patch, 2 * n_patches),
                                      test_put_f32(device, prefix, n_prefix), with_position ? pos : NULL, x,
                                      (struct df_token_rows){batch, tokens, prefix_tokens, patches}, dim),
        0);
    test_near("tokens", test_get_f32(device, x, n), want, n, 0.0);
    test_release(device);
}

static void check_tokens(struct test_device *device)
{
    check_assembly(device, 1, 1, true);
    check_assembly(device, 5, 17, false);
    check_assembly(device, 5, 65, true);
}

static void tokens_match(void **state)
{
    (void)state;
    test_on_threads(check_tokens);
}

static void check_convert(struct test_device *device)
{
    static const size_t counts[] = {1, 3, 17, 4097};
    struct df_backend *backend = device->backend;
    for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
        const size_t n = counts[k];
        const float *x = test_random(device, n, 0.0, 10.0);
        const double *want = test_widen(device, x, n);
        float *in = test_put_f32(device, x, n), *out = test_room_f32(device, n);
        void *half = test_room(device, 2 * n);
        assert_int_equal(backend->ops->convert(backend, in, DF_F32, out, DF_F32, (int64_t)n), 0);
        test_near("copy", test_get_f32(device, out, n), want, n, 0.0);
        assert_int_equal(backend->ops->convert(backend, in, DF_F32, half, DF_BF16, (int64_t)n), 0);
        assert_int_equal(backend->ops->convert(backend, half, DF_BF16, out, DF_F32, (int64_t)n), 0);
        test_near("bfloat16 and back", test_get_f32(device, out, n), want, n, 1.0 / 256.0);
        test_release(device);
    }
}

static void conversions_match(void **state)
{
    (void)state;
    test_on_threads(check_convert);
}

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
    void *in = test_put(device, numbers, NUMBERS * 4), *out = test_room(device, NUMBERS * 2);
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
    void *a = test_room(device, 16), *b = test_room(device, 16);
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
        cmocka_unit_test(columns_match),
        cmocka_unit_test(images_match),
        cmocka_unit_test(tokens_match),
        cmocka_unit_test(conversions_match),
        cmocka_unit_test(every_bfloat16_is_converted),
        cmocka_unit_test(unknown_conversions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
