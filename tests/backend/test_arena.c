/* Memory that is planned once. */
#include "dinoft/arena.h"

#include "dinoft/error.h"

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buffers {
    float *kept, *scratch_a, *scratch_b, *scratch_c;
};

/* Scratch b and c of the second phase lie where a of the first lay. */
static struct buffers plan(struct df_arena *arena)
{
    struct buffers b;

    b.kept = df_arena_take(arena, "kept", 3, DF_F32);
    size_t mark = df_arena_mark(arena);
    b.scratch_a = df_arena_take(arena, "scratch a", 100, DF_F32);
    df_arena_return(arena, mark);
    b.scratch_b = df_arena_take(arena, "scratch b", 16, DF_F32);
    b.scratch_c = df_arena_take(arena, "scratch c", 17, DF_BF16);
    return b;
}

static void test_plan_then_hand_out(void **state)
{
    struct df_arena arena;

    df_arena_init(&arena, *state);
    struct buffers counted = plan(&arena);
    assert_null(counted.kept);
    assert_null(counted.scratch_c);
    assert_int_equal(arena.n_items, 4);
    assert_string_equal(arena.items[1].name, "scratch a");
    assert_int_equal(arena.items[1].bytes, 448);
    assert_int_equal(arena.peak, 512);
    assert_int_equal(df_arena_commit(&arena), 0);

    struct buffers b = plan(&arena);
    assert_int_equal((uintptr_t)b.kept % 64, 0);
    assert_ptr_equal(b.kept, arena.base);
    assert_ptr_equal(b.scratch_a, arena.base + 64);
    assert_ptr_equal(b.scratch_b, b.scratch_a);
    assert_ptr_equal(b.scratch_c, arena.base + 128);
    assert_int_equal(arena.n_items, 4);
    memset(arena.base, 1, arena.peak);
    df_arena_free(&arena);
    assert_null(arena.base);
    df_arena_free(&arena);
}

static void test_empty_plan(void **state)
{
    struct df_arena arena;

    df_arena_init(&arena, *state);
    assert_null(df_arena_take(&arena, "nothing", 0, DF_F32));
    assert_int_equal(df_arena_commit(&arena), 0);
    assert_non_null(df_arena_take(&arena, "nothing", 0, DF_F32));
    df_arena_free(&arena);
}

static void test_too_large(void **state)
{
    struct df_arena arena;

    df_arena_init(&arena, *state);
    df_arena_take(&arena, "small", 10, DF_F32);
    df_arena_take(&arena, "activations", INT64_MAX / 2, DF_F32);
    df_arena_take(&arena, "gradients", INT64_MAX / 2, DF_F32);
    assert_int_equal(df_arena_commit(&arena), -1);
    assert_non_null(strstr(df_error_text(), "memory plan"));
    assert_non_null(strstr(df_error_text(), "largest buffer is activations"));
    df_arena_free(&arena);
}

/* However many blocks a model has. */
static void test_buffers_of_one_name(void **state)
{
    static char same_name[] = "block input"; /* the text counts, not where it lies */
    struct df_arena arena;

    df_arena_init(&arena, *state);
    for (int i = 0; i < 1000; i++) {
        df_arena_take(&arena, i % 2 ? "block input" : same_name, 16 * (i % 3 + 1), DF_F32);
        df_arena_take(&arena, "statistics", 1, DF_F32);
    }
    assert_int_equal(arena.n_items, 2);
    assert_int_equal(arena.items[0].count, 1000);
    assert_int_equal(arena.items[0].bytes, 64 * (334 + 2 * 333 + 3 * 333));
    assert_int_equal(arena.items[0].largest, 192);
    assert_int_equal(arena.items[1].bytes, 64000);
    assert_int_equal(df_arena_commit(&arena), 0);
    df_arena_free(&arena);
}

static void test_too_many_names(void **state)
{
    static char names[DF_ARENA_MAX_ITEMS + 3][32];
    struct df_arena arena;

    df_arena_init(&arena, *state);
    for (int i = 0; i < DF_ARENA_MAX_ITEMS + 3; i++) {
        snprintf(names[i], sizeof names[i], "buffer %d", i);
        df_arena_take(&arena, names[i], 1, DF_F32);
    }
    assert_int_equal(df_arena_commit(&arena), -1);
    assert_string_equal(df_error_text(), "the memory plan has more than 64 names of buffers");
    df_arena_free(&arena);
}

static int open_backend(void **state)
{
    *state = df_backend_open(DF_DEVICE_CPU, DF_PRECISION_FP32, 1);
    return *state ? 0 : -1;
}

static int close_backend(void **state)
{
    df_backend_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_then_hand_out), cmocka_unit_test(test_empty_plan),
        cmocka_unit_test(test_too_large),          cmocka_unit_test(test_buffers_of_one_name),
        cmocka_unit_test(test_too_many_names),
    };
    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
