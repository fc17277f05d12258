/* Attention through the emulated cuDNN: what it computes, when it is used, and that our own kernel is the
 * fallback whenever it is wrong. */
#define _GNU_SOURCE
#include "cudnn_set_up.h"

#include "backend/one_case.h"

#include "src/backend/cuda/cuda_context.h"

#include <math.h>

#define BATCH  2
#define TOKENS 37
#define HEADS  2
#define SIZE   64

/* Of a case of attention_forward. */
enum { QKV, OUT, LSE };

struct result {
    uint16_t out[BATCH * TOKENS * HEADS * SIZE];
    float lse[BATCH * HEADS * TOKENS];
};

static const float second_engine_is_faster[] = {1.0f, 0.6f, 0.5f};

static void download(struct df_case_run *run, int tensor, void *result, size_t bytes)
{
    assert_int_equal(run->backend->ops->download(run->backend, result, run->memory[tensor], bytes), 0);
}

/* The same case on a backend of its own. */
static struct result attend(void)
{
    static const int64_t sizes[DF_CASE_SIZES] = {BATCH, TOKENS, HEADS, SIZE};
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1);
    struct df_case c = test_case("attention_forward", sizes, DF_BF16);
    struct result result;

    assert_non_null(backend);
    struct df_case_run run = test_run_case(&c, backend);
    download(&run, OUT, result.out, sizeof result.out);
    download(&run, LSE, result.lse, sizeof result.lse);
    df_case_run_close(&run);
    df_case_close(&c);
    df_backend_close(backend);
    return result;
}

/* Our own kernel's result. */
static struct result attend_alone(void)
{
    setenv("DINOFT_CUDA_ALGO", "first", 1);
    const struct result result = attend();
    unsetenv("DINOFT_CUDA_ALGO");
    return result;
}

static bool are_equal(const struct result *a, const struct result *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* --- what it computes --- */

static void check(struct df_backend *backend, const int64_t shape[4], bool without_lse)
{
    const int64_t sizes[DF_CASE_SIZES] = {shape[0], shape[1], shape[2], shape[3], without_lse};
    struct df_case c = test_case("attention_forward", sizes, DF_BF16);
    const int runs = df_emulation_cudnn_runs();
    struct df_case_run run = test_run_case(&c, backend);

    assert_true(df_emulation_cudnn_runs() > runs + 1); /* compared, timed and used */
    test_agrees_with_loops(&c, &run);
}

static void agrees_with_plain_loops(void **state)
{
    static const int64_t shapes[][4] = {{1, 1, 1, 64}, {2, 33, 2, 64}, {1, 71, 1, 128}, {1, 64, 3, 128}};
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1);

    assert_non_null(backend);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check(backend, shapes[i], false);
        check(backend, shapes[i], true);
        assert_int_equal(cache_entries(*state), 2 * ((int)i + 1));
    }
    df_backend_close(backend);
}

/* --- when it is used --- */

static void engines_are_cached(void **state)
{
    const struct result alone = attend_alone(), first = attend();

    assert_int_equal(cache_entries(*state), 1);
    assert_false(are_equal(&first, &alone));
    df_emulation_set_times(NULL, 0); /* our own kernel would win now */
    const struct result second = attend();
    assert_true(are_equal(&first, &second));
    assert_int_equal(cache_entries(*state), 1);
}

static void cached_algorithms_are_used(void **state)
{
    static const char *const algorithms[] = {"0", "1", "2", "4"};
    const struct result alone = attend_alone();
    struct result results[4];

    attend();
    for (int i = 0; i < 4; i++) {
        write_algorithm(*state, "", algorithms[i]);
        const int runs = df_emulation_cudnn_runs();
        results[i] = attend();
        /* Twice to compare, once for the result; algorithm 4 would be an engine that there is not. */
        assert_int_equal(df_emulation_cudnn_runs() - runs, i == 1 || i == 2 ? 3 : 0);
    }
    assert_int_equal(cache_entries(*state), 1);
    assert_true(are_equal(&results[0], &alone));
    assert_false(are_equal(&results[1], &alone));
    assert_false(are_equal(&results[2], &alone));
    assert_false(are_equal(&results[1], &results[2]));
    assert_true(are_equal(&results[3], &alone));
    clear_cache(*state);
    df_emulation_set_times(second_engine_is_faster, 3);
    const struct result second = attend();
    assert_true(are_equal(&results[2], &second));
}

static void our_kernel_is_kept_where_it_is_as_fast(void **state)
{
    const struct result alone = attend_alone();

    df_emulation_set_times(NULL, 0);
    const struct result first = attend();
    assert_int_equal(cache_entries(*state), 1);
    const int runs = df_emulation_cudnn_runs();
    const struct result second = attend();
    assert_int_equal(df_emulation_cudnn_runs(), runs);
    assert_true(are_equal(&first, &alone));
    assert_true(are_equal(&second, &alone));
}

static void first_times_nothing(void **state)
{
    const int runs = df_emulation_cudnn_runs();

    attend_alone();
    assert_int_equal(df_emulation_cudnn_runs(), runs);
    assert_false(find_file(*state));
}

static void float32_stays_with_our_kernel(void **state)
{
    static const int64_t sizes[DF_CASE_SIZES] = {1, 9, 1, SIZE};
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_FP32, 1);
    struct df_case c = test_case("attention_forward", sizes, DF_F32);
    const int runs = df_emulation_cudnn_runs();
    struct df_case_run run = test_run_case(&c, backend);

    assert_int_equal(df_emulation_cudnn_runs(), runs);
    assert_false(find_file(*state));
    df_case_run_close(&run);
    df_case_close(&c);
    df_backend_close(backend);
}

/* --- when it is wrong --- */

static void wrong_results_are_not_used(void **state)
{
    static const enum df_emulated_cudnn faults[] = {
        DF_CUDNN_ABSENT,    DF_CUDNN_FAULTY,    DF_CUDNN_NO_ENGINE, DF_CUDNN_NO_PLAN,         DF_CUDNN_NO_RUN,
        DF_CUDNN_WRONG_ROW, DF_CUDNN_WRONG_LSE, DF_CUDNN_NAN,       DF_CUDNN_NONDETERMINISTIC};
    const struct result alone = attend_alone(), correct = attend();

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        clear_plans(*state); /* nothing is asked for a plan that is in a file */
        df_emulation_set_cudnn(faults[i]);
        const struct result cached = attend();
        assert_true(are_equal(&cached, &alone));
        assert_int_equal(cache_entries(*state), 1);
    }
    clear_cache(*state);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        df_emulation_set_cudnn(faults[i]);
        const struct result fresh = attend();
        assert_true(are_equal(&fresh, &alone));
        assert_false(find_file(*state));
    }
    df_emulation_set_cudnn(DF_CUDNN_CORRECT);
    const struct result again = attend();
    assert_true(are_equal(&again, &correct));
}

/* The second engine's results must not be mistaken for those that the first one left in the same memory. */
static void results_are_not_mistaken_for_anothers(void **state)
{
    static const float other_is_faster[] = {1.0f, 0.5f};
    const struct result correct = attend();

    clear_cache(*state);
    df_emulation_set_cudnn(DF_CUDNN_NOTHING);
    df_emulation_set_times(other_is_faster, 2); /* of two, not of three */
    const struct result result = attend();
    assert_true(are_equal(&result, &correct));
    assert_int_equal(cache_entries(*state), 1);
}

/* What a device holds for the calls of one test. */
struct device {
    struct df_backend *backend;
    struct df_case problem;
    struct df_case_run run;
    size_t out_bytes;
};

static struct device open_device(int64_t tokens)
{
    const int64_t sizes[DF_CASE_SIZES] = {1, tokens, 1, SIZE};
    struct device d = {.backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1),
                       .problem = test_case("attention_forward", sizes, DF_BF16)};

    assert_non_null(d.backend);
    assert_int_equal(df_case_run_open(&d.run, &d.problem, d.backend), 0);
    d.out_bytes = (size_t)d.problem.tensors[OUT].count * sizeof(uint16_t);
    return d;
}

static int call(struct device *d, int64_t tokens)
{
    const struct df_attention_shape shape = {1, tokens, 1, SIZE};

    return d->backend->ops->attention_forward(d->backend, shape, d->run.memory[QKV], d->run.memory[OUT],
                                              d->run.memory[LSE]);
}

/* The results so far; the device's are overwritten then. */
static uint16_t *collect(struct device *d)
{
    uint16_t *out = malloc(d->out_bytes);

    assert_non_null(out);
    download(&d->run, OUT, out, d->out_bytes);
    assert_int_equal(d->backend->ops->zero(d->backend, d->run.memory[OUT], d->out_bytes), 0);
    return out;
}

static void close_device(struct device *d)
{
    df_case_run_close(&d->run);
    df_case_close(&d->problem);
    df_backend_close(d->backend);
}

static void runs_that_fail_later_are_ours(void **state)
{
    struct device d = open_device(19);

    assert_int_equal(call(&d, 19), 0);
    uint16_t *before = collect(&d);
    df_emulation_set_cudnn(DF_CUDNN_NO_RUN);
    assert_int_equal(call(&d, 19), 0);
    uint16_t *after = collect(&d);
    const int runs = df_emulation_cudnn_runs();
    assert_int_equal(call(&d, 19), 0);
    uint16_t *last = collect(&d);
    assert_int_equal(df_emulation_cudnn_runs(), runs); /* not asked again */
    assert_memory_not_equal(before, after, d.out_bytes);
    assert_memory_equal(after, last, d.out_bytes);
    free(before);
    free(after);
    free(last);
    close_device(&d);
}

static void no_memory_to_compare_is_no_failure(void **state)
{
    struct device d = open_device(19);

    df_emulation_set_memory(df_emulation_memory_in_use());
    const int status = call(&d, 19);
    df_emulation_set_memory((size_t)1 << 30);
    assert_int_equal(status, 0);
    assert_false(find_file(*state));
    uint16_t *out = collect(&d);
    assert_false(isnan(df_bf16_to_f32(out[0])));
    free(out);
    close_device(&d);
}

/* --- in graphs --- */

/* A shape that is known is captured with cuDNN's kernel; a new one is neither timed nor compared then. */
static void graphs_hold_the_chosen_engine(void **state)
{
    struct device d = open_device(19);
    struct df_cuda_context *context = df_cuda_context(d.backend);
    cudaStream_t stream = context->stream;
    cudaGraph_t graph;
    cudaGraphExec_t exec;

    assert_int_equal(call(&d, 19), 0);
    uint16_t *eager = collect(&d);
    for (int known = 1; known >= 0; known--) {
        const int64_t tokens = known ? 19 : 18;
        const int runs = df_emulation_cudnn_runs();
        assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        context->capturing = true; /* as graph.c does it */
        assert_int_equal(call(&d, tokens), 0);
        context->capturing = false;
        assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
        assert_int_equal(df_emulation_cudnn_runs() - runs, known);
        assert_int_equal(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
        assert_int_equal(cudaGraphLaunch(exec, stream), cudaSuccess);
        uint16_t *replayed = collect(&d);
        if (known)
            assert_memory_equal(replayed, eager, d.out_bytes);
        else
            assert_true(df_bf16_to_f32(replayed[18 * SIZE - 1]) != 0.0f);
        free(replayed);
        assert_int_equal(cudaGraphExecDestroy(exec), cudaSuccess);
        assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
        assert_int_equal(cache_entries(*state), 1);
    }
    assert_int_equal(call(&d, 18), 0); /* outside of a capture it is */
    assert_int_equal(cache_entries(*state), 2);
    free(eager);
    close_device(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(agrees_with_plain_loops, set_up, restore),
        cmocka_unit_test_setup_teardown(engines_are_cached, set_up, restore),
        cmocka_unit_test_setup_teardown(cached_algorithms_are_used, set_up, restore),
        cmocka_unit_test_setup_teardown(our_kernel_is_kept_where_it_is_as_fast, set_up, restore),
        cmocka_unit_test_setup_teardown(first_times_nothing, set_up, restore),
        cmocka_unit_test_setup_teardown(float32_stays_with_our_kernel, set_up, restore),
        cmocka_unit_test_setup_teardown(wrong_results_are_not_used, set_up, restore),
        cmocka_unit_test_setup_teardown(results_are_not_mistaken_for_anothers, set_up, restore),
        cmocka_unit_test_setup_teardown(runs_that_fail_later_are_ours, set_up, restore),
        cmocka_unit_test_setup_teardown(no_memory_to_compare_is_no_failure, set_up, restore),
        cmocka_unit_test_setup_teardown(graphs_hold_the_chosen_engine, set_up, restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
