/* The profiler: what it records, and that it only looks on. */
#include "dinoft/profile.h"

#include "dinoft/error.h"

#include "support/cmocka_all.h"

#include <string.h>

#define STEPS 3

static struct df_backend *open_profiler(int64_t steps)
{
    struct df_backend *backend = df_backend_open(DF_DEVICE_CPU, DF_PRECISION_FP32, 1);
    assert_non_null(backend);
    struct df_backend *profiler = df_profiler_open(backend, steps);
    assert_non_null(profiler);
    return profiler;
}

static const struct df_profile_row *find(const struct df_profile *profile, const char *operation,
                                         const char *shape)
{
    for (size_t i = 0; i < profile->n_rows; i++) {
        if (!strcmp(profile->rows[i].operation, operation) && !strcmp(profile->rows[i].work.shape, shape))
            return &profile->rows[i];
    }
    fail_msg("the profile has no %s %s", operation, shape);
    return NULL;
}

/* An operation that is not in the profiler's table would crash the model, one that is the backend's own would
 * get the wrong context. */
static void every_operation_is_wrapped(void **state)
{
    (void)state;
    struct df_backend *cpu = df_backend_open(DF_DEVICE_CPU, DF_PRECISION_FP32, 1),
                      *profiler = open_profiler(1);
    void (*const none)(void) = NULL;
    for (size_t i = 0; i < sizeof *profiler->ops; i += sizeof none) {
        assert_memory_not_equal((const char *)profiler->ops + i, &none, sizeof none);
        assert_memory_not_equal((const char *)profiler->ops + i, (const char *)cpu->ops + i, sizeof none);
    }
    df_backend_close(profiler);
    df_backend_close(cpu);
}

static void it_looks_like_its_backend(void **state)
{
    (void)state;
    struct df_backend *profiler = open_profiler(1);
    assert_string_equal(profiler->name, "cpu");
    assert_int_equal(profiler->compute, DF_F32);
    assert_int_equal(profiler->threads, 1);
    df_backend_close(profiler);
}

/* Two products of one shape and one of another, in every step; one more outside of any. */
static void calls_are_counted_by_shape(void **state)
{
    (void)state;
    struct df_backend *profiler = open_profiler(STEPS);
    float a[2 * 3] = {1, 2, 3, 4, 5, 6}, b[4 * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}, c[2 * 4] = {0};
    const struct df_matrix ma = {a, DF_F32, 2, 3, 3}, mb = {b, DF_F32, 4, 3, 3}, mc = {c, DF_F32, 2, 4, 4};
    const struct df_matrix left = {a, DF_F32, 2, 2, 3}, square = {c, DF_F32, 2, 2, 4};
    struct df_profile profile;

    assert_int_equal(profiler->ops->matmul(profiler, ma, false, mb, true, mc, false), 0);
    for (int step = 0; step < STEPS; step++) {
        df_profiler_begin_step(profiler);
        assert_int_equal(profiler->ops->matmul(profiler, ma, false, mb, true, mc, false), 0);
        assert_int_equal(profiler->ops->matmul(profiler, ma, false, mb, true, mc, false), 0);
        if (step == 0)
            assert_int_equal(profiler->ops->matmul(profiler, left, true, left, false, square, true), 0);
        assert_int_equal(df_profiler_end_step(profiler), 0);
    }
    assert_int_equal(df_profiler_result(profiler, &profile), 0);
    assert_int_equal(profile.steps, STEPS);
    assert_int_equal(profile.n_rows, 2);

    const struct df_profile_row *row = find(&profile, "matmul", "[2, 3] * [4, 3]^T -> [2, 4]");
    assert_true(row->calls == 2.0);
    assert_true(row->work.flops == 2.0 * (2.0 * 2 * 3 * 4));
    assert_true(row->work.bytes == 2.0 * 4.0 * (2 * 3 + 4 * 3 + 2 * 4));
    row = find(&profile, "matmul", "[2, 2 of 3]^T * [2, 2 of 3] -> += [2, 2 of 4]");
    assert_true(row->calls * STEPS == 1.0);
    assert_true(row->work.flops * STEPS == 2.0 * 2 * 2 * 2);
    assert_true(row->work.bytes * STEPS == 4.0 * (4 + 4 + 2 * 4));
    assert_true(row->seconds == 0.0); /* the median step has none */
    assert_true(c[7] == 15.0f + 0.0f);
    df_profile_free(&profile);
    df_backend_close(profiler);
}

/* In one step nothing is lost: what the rows do not have is outside. */
static void times_add_up(void **state)
{
    (void)state;
    struct df_backend *profiler = open_profiler(1);
    struct df_profile profile;
    float x[64] = {0}, y[64];

    df_profiler_begin_step(profiler);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(profiler->ops->gelu_forward(profiler, x, y, 64), 0);
        assert_int_equal(profiler->ops->zero(profiler, y, sizeof y), 0);
        assert_int_equal(profiler->ops->copy(profiler, y, x, sizeof y), 0);
    }
    assert_int_equal(df_profiler_end_step(profiler), 0);
    assert_int_equal(df_profiler_result(profiler, &profile), 0);
    double inside = 0.0;
    for (size_t i = 0; i < profile.n_rows; i++) {
        assert_true(profile.rows[i].seconds >= 0.0);
        assert_true(i == 0 || profile.rows[i].seconds <= profile.rows[i - 1].seconds);
        inside += profile.rows[i].seconds;
    }
    assert_int_equal(profile.n_rows, 3);
    assert_true(profile.outside >= 0.0 && profile.seconds > 0.0);
    assert_true(inside + profile.outside <= profile.seconds * (1.0 + 1e-9));
    assert_true(inside + profile.outside >= profile.seconds * (1.0 - 1e-9));
    assert_true(find(&profile, "gelu_forward", "[64]")->calls == 10.0);
    assert_true(find(&profile, "zero", "256 bytes")->work.bytes == 2560.0);
    assert_true(find(&profile, "copy", "256 bytes")->work.bytes == 5120.0);
    df_profile_free(&profile);
    df_backend_close(profiler);
}

/* More shapes than the first allocation of rows holds. */
static void many_shapes(void **state)
{
    (void)state;
    struct df_backend *profiler = open_profiler(2);
    struct df_profile profile;
    char bytes[100];

    for (int step = 0; step < 2; step++) {
        df_profiler_begin_step(profiler);
        for (size_t i = 0; i < sizeof bytes; i++)
            assert_int_equal(profiler->ops->zero(profiler, bytes, i), 0);
        assert_int_equal(df_profiler_end_step(profiler), 0);
    }
    assert_int_equal(df_profiler_result(profiler, &profile), 0);
    assert_int_equal(profile.n_rows, sizeof bytes);
    for (size_t i = 0; i < profile.n_rows; i++)
        assert_true(profile.rows[i].calls == 1.0);
    df_profile_free(&profile);
    df_backend_close(profiler);
}

static int failing_zero(struct df_backend *backend, void *memory, size_t bytes)
{
    (void)backend;
    (void)memory;
    return df_error_set("no zeros today, not even %zu", bytes);
}

static void close_nothing(struct df_backend *backend)
{
    (void)backend;
}

static void failures_are_handed_on(void **state)
{
    (void)state;
    const struct df_backend_ops ops = {.close = close_nothing, .zero = failing_zero};
    struct df_backend broken = {.ops = &ops, .name = "broken", .compute = DF_F32, .threads = 1};
    struct df_backend *profiler = df_profiler_open(&broken, 1);
    char byte;

    assert_int_equal(profiler->ops->zero(profiler, &byte, 1), -1);
    df_profiler_begin_step(profiler);
    assert_int_equal(profiler->ops->zero(profiler, &byte, 7), -1);
    assert_int_equal(df_profiler_end_step(profiler), 0);
    assert_string_equal(df_error_text(), "no zeros today, not even 7");
    df_backend_close(profiler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_wrapped),
        cmocka_unit_test(it_looks_like_its_backend),
        cmocka_unit_test(calls_are_counted_by_shape),
        cmocka_unit_test(times_add_up),
        cmocka_unit_test(many_shapes),
        cmocka_unit_test(failures_are_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
