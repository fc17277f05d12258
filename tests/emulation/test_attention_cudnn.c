/* Attention through the emulated cuDNN: what it computes, when it is used, and that our own kernel is the
 * fallback whenever it is wrong. */
#define _GNU_SOURCE
#include "autotune_folder.h"

#include "backend/attention_half.h"

#include "src/backend/cuda/cuda_context.h"

#include "emulation_control.h"

#define BATCH  2
#define TOKENS 37
#define HEADS  2
#define SIZE   64

struct result {
    uint16_t out[BATCH * TOKENS * HEADS * SIZE];
    float lse[BATCH * HEADS * TOKENS];
};

/* Measured are our own kernel and cuDNN's two deterministic engines, in turn. */
static const float first_engine_is_faster[] = {1.0f, 0.5f, 0.6f},
                   second_engine_is_faster[] = {1.0f, 0.6f, 0.5f};

static int set_up(void **state)
{
    df_emulation_set_cudnn(DF_CUDNN_CORRECT);
    df_emulation_set_times(first_engine_is_faster, 3);
    return make_autotune_folder(state);
}

static int restore(void **state)
{
    df_emulation_set_cudnn(DF_CUDNN_CORRECT);
    df_emulation_set_times(NULL, 0);
    return remove_autotune_folder(state);
}

/* The same problem on a backend of its own. */
static struct result attend(void)
{
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1);
    struct problem p = make_problem(BATCH, TOKENS, HEADS, SIZE);
    struct half half = make_half(&p);
    struct result result;

    assert_non_null(backend);
    run_forward(backend, &p, &half);
    memcpy(result.out, half.out, sizeof result.out);
    memcpy(result.lse, p.lse, sizeof result.lse);
    free_half(&half);
    free_problem(&p);
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

static void check(struct df_backend *backend, const int64_t shape[4], bool with_lse)
{
    struct problem p = make_problem(shape[0], shape[1], shape[2], shape[3]);
    double *probabilities = calloc((size_t)shape[1], sizeof(double));
    double *out = calloc((size_t)p.out_count, sizeof(double));
    double *dqkv = calloc((size_t)p.out_count * 3, sizeof(double));
    struct half half = make_half(&p);
    const int runs = df_emulation_cudnn_runs();

    assert_true(probabilities && out && dqkv);
    if (!with_lse) {
        free(p.lse);
        p.lse = NULL;
    }
    run_forward(backend, &p, &half);
    assert_true(df_emulation_cudnn_runs() > runs + 1); /* compared, timed and used */
    for (int64_t row = 0; row < p.lse_count; row++) {
        const int64_t query = row % shape[1], head = row / shape[1] % shape[2],
                      image = row / shape[1] / shape[2];
        const double lse = softmax_row(&p, image, head, query, probabilities);
        if (with_lse)
            assert_close(p.lse[row], lse, 2e-5);
        reference_query(&p, image, head, query, probabilities, out, dqkv);
    }
    check_array("out", half.out, out, p.out_count);
    free_half(&half);
    free_problem(&p);
    free(probabilities);
    free(out);
    free(dqkv);
}

static void agrees_with_plain_loops(void **state)
{
    static const int64_t shapes[][4] = {{1, 1, 1, 64}, {2, 33, 2, 64}, {1, 71, 1, 128}, {1, 64, 3, 128}};
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1);

    assert_non_null(backend);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check(backend, shapes[i], true);
        check(backend, shapes[i], false);
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
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_FP32, 1);
    struct problem p = make_problem(1, 9, 1, 64);
    float *qkv = put_floats(backend, p.qkv, 3 * p.out_count), *out = put_floats(backend, p.out, p.out_count);
    const int runs = df_emulation_cudnn_runs();

    assert_int_equal(backend->ops->attention_forward(backend, p.shape, qkv, out, NULL), 0);
    assert_int_equal(df_emulation_cudnn_runs(), runs);
    assert_false(find_file(*state));
    get_floats(backend, p.qkv, qkv, 3 * p.out_count);
    get_floats(backend, p.out, out, p.out_count);
    free_problem(&p);
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
    struct problem problem;
    struct half half;
    void *qkv, *out;
    float *lse;
};

static struct device open_device(int64_t tokens)
{
    struct device d = {.backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1),
                       .problem = make_problem(1, tokens, 1, SIZE)};

    assert_non_null(d.backend);
    d.half = make_half(&d.problem);
    d.qkv = put(d.backend, d.half.qkv, (size_t)d.problem.out_count * 6);
    d.out = put(d.backend, d.half.out, (size_t)d.problem.out_count * 2);
    d.lse = put_floats(d.backend, d.problem.lse, d.problem.lse_count);
    return d;
}

static int call(struct device *d, int64_t tokens)
{
    const struct df_attention_shape shape = {1, tokens, 1, SIZE};

    return d->backend->ops->attention_forward(d->backend, shape, d->qkv, d->out, d->lse);
}

/* The results so far; the device's are overwritten then. */
static uint16_t *collect(struct device *d)
{
    const size_t bytes = (size_t)d->problem.out_count * 2;
    uint16_t *out = malloc(bytes);

    assert_non_null(out);
    assert_int_equal(d->backend->ops->download(d->backend, out, d->out, bytes), 0);
    assert_int_equal(d->backend->ops->zero(d->backend, d->out, bytes), 0);
    return out;
}

static void close_device(struct device *d)
{
    d->backend->ops->free(d->backend, d->qkv);
    d->backend->ops->free(d->backend, d->out);
    d->backend->ops->free(d->backend, d->lse);
    free_half(&d->half);
    free_problem(&d->problem);
    df_backend_close(d->backend);
}

static void runs_that_fail_later_are_ours(void **state)
{
    struct device d = open_device(19);
    const size_t bytes = (size_t)d.problem.out_count * 2;

    assert_int_equal(call(&d, 19), 0);
    uint16_t *before = collect(&d);
    df_emulation_set_cudnn(DF_CUDNN_NO_RUN);
    assert_int_equal(call(&d, 19), 0);
    uint16_t *after = collect(&d);
    const int runs = df_emulation_cudnn_runs();
    assert_int_equal(call(&d, 19), 0);
    uint16_t *last = collect(&d);
    assert_int_equal(df_emulation_cudnn_runs(), runs); /* not asked again */
    assert_memory_not_equal(before, after, bytes);
    assert_memory_equal(after, last, bytes);
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
    const size_t bytes = (size_t)d.problem.out_count * 2;
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
            assert_memory_equal(replayed, eager, bytes);
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
