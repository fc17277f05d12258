/* Which algorithm a matrix product uses, and that it is cached: the emulated cuBLASLt has two whose sums are
 * rounded differently. */
#define _GNU_SOURCE
#include "autotune_folder.h"

#include "dinoft/backend.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 9
#define IN   640
#define OUT  48

struct result {
    float y[ROWS * OUT];
};

/* x W^T on a backend of its own, added to 1 where `accumulate`. */
static struct result multiply(bool accumulate, int times)
{
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_FP32, 1);
    float *x = malloc(ROWS * IN * sizeof *x), *weight = malloc(OUT * IN * sizeof *weight);
    struct df_rng rng;
    struct result result;

    assert_true(backend && x && weight);
    df_rng_seed(&rng, 3, 0);
    for (int i = 0; i < ROWS * IN; i++)
        x[i] = (float)df_rng_normal(&rng);
    for (int i = 0; i < OUT * IN; i++)
        weight[i] = (float)df_rng_normal(&rng);
    for (int i = 0; i < ROWS * OUT; i++)
        result.y[i] = 1.0f;
    struct df_linear *linear = backend->ops->linear_create(backend, weight, NULL, OUT, IN, ROWS, false);
    void *on_x = backend->ops->alloc(backend, ROWS * IN * sizeof *x);
    void *on_y = backend->ops->alloc(backend, sizeof result);
    assert_true(linear && on_x && on_y);
    assert_int_equal(backend->ops->upload(backend, on_x, x, ROWS * IN * sizeof *x), 0);
    assert_int_equal(backend->ops->upload(backend, on_y, &result, sizeof result), 0);
    for (int i = 0; i < times; i++)
        assert_int_equal(backend->ops->linear_forward(
                             backend, linear, (struct df_matrix){on_x, DF_F32, ROWS, IN, IN},
                             (struct df_matrix){on_y, DF_F32, ROWS, OUT, OUT}, accumulate ? on_y : NULL),
                         0);
    assert_int_equal(backend->ops->download(backend, &result, on_y, sizeof result), 0);
    backend->ops->free(backend, on_x);
    backend->ops->free(backend, on_y);
    backend->ops->linear_free(backend, linear);
    df_backend_close(backend);
    free(x);
    free(weight);
    return result;
}

static void choices_are_cached(void **state)
{
    const struct result first = multiply(false, 3);
    assert_int_equal(cache_entries(*state), 1);
    const struct result second = multiply(false, 1);
    assert_int_equal(cache_entries(*state), 1);
    assert_memory_equal(&first, &second, sizeof first);
    multiply(true, 1);
    assert_int_equal(cache_entries(*state), 2);
}

static void cached_algorithms_are_used(void **state)
{
    struct result results[2];

    multiply(false, 1);
    for (int i = 0; i < 2; i++) {
        write_algorithm(*state, "", i ? "1" : "0");
        results[i] = multiply(false, 1);
    }
    assert_memory_not_equal(&results[0], &results[1], sizeof results[0]);
    for (int i = 0; i < ROWS * OUT; i++)
        assert_true(results[0].y[i] - results[1].y[i] < 1e-3f && results[1].y[i] - results[0].y[i] < 1e-3f);
    assert_int_equal(cache_entries(*state), 1);
}

/* Timing runs every candidate several times: only one run may count. */
static void timing_adds_nothing(void **state)
{
    const struct result plain = multiply(false, 1), added = multiply(true, 1), twice = multiply(true, 2);

    for (int i = 0; i < ROWS * OUT; i++) {
        assert_true(added.y[i] - plain.y[i] > 0.999f && added.y[i] - plain.y[i] < 1.001f);
        assert_true(twice.y[i] - 2.0f * plain.y[i] > 0.999f && twice.y[i] - 2.0f * plain.y[i] < 1.001f);
    }
}

static void damaged_lines_are_skipped(void **state)
{
    static const char *const algorithms[] = {"7", "8", "-1", "99999999999999999999", "0x1", "", "1 2"};

    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        multiply(false, 1);
        write_algorithm(*state, "no numbers\n1 2 3\n\n", algorithms[i]);
        multiply(false, 1);
        assert_int_equal(cache_entries(*state), 5);
        clear_cache(*state);
    }
}

static void first_times_nothing(void **state)
{
    multiply(false, 1);
    write_algorithm(*state, "", "0");
    const struct result first = multiply(false, 1);
    clear_cache(*state);
    setenv("DINOFT_CUDA_ALGO", "first", 1);
    const struct result again = multiply(false, 1);
    assert_false(find_file(*state));
    assert_memory_equal(&first, &again, sizeof first);
}

/* Without a folder for the cache nothing is timed either. */
static void no_folder_is_as_first(void **state)
{
    struct autotune_folder *folder = *state;

    setenv("XDG_CACHE_HOME", "/proc/none", 1);
    const struct result result = multiply(false, 1);
    setenv("DINOFT_CUDA_ALGO", "first", 1);
    const struct result first = multiply(false, 1);
    assert_memory_equal(&first, &result, sizeof first);
    assert_false(find_file(folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(choices_are_cached, make_autotune_folder, remove_autotune_folder),
        cmocka_unit_test_setup_teardown(cached_algorithms_are_used, make_autotune_folder,
                                        remove_autotune_folder),
        cmocka_unit_test_setup_teardown(timing_adds_nothing, make_autotune_folder, remove_autotune_folder),
        cmocka_unit_test_setup_teardown(damaged_lines_are_skipped, make_autotune_folder,
                                        remove_autotune_folder),
        cmocka_unit_test_setup_teardown(first_times_nothing, make_autotune_folder, remove_autotune_folder),
        cmocka_unit_test_setup_teardown(no_folder_is_as_first, make_autotune_folder, remove_autotune_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
