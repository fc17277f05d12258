/* cuDNN's plans for attention: the gradient's among them, when they are made, and that files bring them back
 * or are made anew. */
#define _GNU_SOURCE
#include "cudnn_set_up.h"

#include "backend/one_case.h"

#include "src/backend/cuda/attention_cudnn.h"
#include "src/backend/cuda/cuda_context.h"

#define BATCH  1
#define TOKENS 37
#define HEADS  2
#define SIZE   64
#define COUNT  (BATCH * TOKENS * HEADS * SIZE)

/* Of a case of attention_backward. */
enum { QKV, OUT, LSE, DOUT, DQKV };

/* Measured are our own kernel and cuDNN's engine that is set by hand. */
static const float engine_by_hand_is_faster[] = {1.0f, 0.5f};

/* A backend, and what its device holds for calls of one shape. */
struct device {
    struct df_backend *backend;
    struct df_case problem;
    struct df_case_run run;
    struct df_attention_shape shape;
};

/* capability 0: the emulation's own */
static struct device open_device(int64_t tokens, int capability)
{
    const int64_t sizes[DF_CASE_SIZES] = {BATCH, tokens, HEADS, SIZE};
    struct device d = {.backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1),
                       .problem = test_case("attention_backward", sizes, DF_BF16),
                       .shape = {BATCH, tokens, HEADS, SIZE}};

    assert_non_null(d.backend);
    if (capability)
        df_cuda_context(d.backend)->capability = capability;
    if (df_case_run_open(&d.run, &d.problem, d.backend) != 0)
        fail_msg("%s", df_error_text());
    return d;
}

static void close_device(struct device *d)
{
    df_case_run_close(&d->run);
    df_case_close(&d->problem);
    df_backend_close(d->backend);
}

static void attend(struct device *d, bool lse)
{
    assert_int_equal(d->backend->ops->attention_forward(d->backend, d->shape, d->run.memory[QKV],
                                                        d->run.memory[OUT], lse ? d->run.memory[LSE] : NULL),
                     0);
}

static void find_gradient(struct device *d, bool need_dk)
{
    assert_int_equal(d->backend->ops->attention_backward(d->backend, d->shape, d->run.memory[QKV],
                                                         d->run.memory[OUT], d->run.memory[LSE],
                                                         d->run.memory[DOUT], d->run.memory[DQKV], need_dk),
                     0);
}

struct gradient {
    uint16_t values[3 * COUNT];
};

static struct gradient download(struct device *d)
{
    struct gradient gradient;

    assert_int_equal(
        d->backend->ops->download(d->backend, gradient.values, d->run.memory[DQKV], sizeof gradient), 0);
    return gradient;
}

static bool are_equal(struct gradient a, struct gradient b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A step on a backend of its own, and what ran in it. */
struct step {
    struct gradient gradient;
    char algorithm[DF_ALGORITHM_MAX];
    int plans; /* that were made */
};

static struct step train(int capability)
{
    struct device d = open_device(TOKENS, capability);
    const int plans = df_emulation_cudnn_plans();
    struct step step;

    attend(&d, true);
    find_gradient(&d, true);
    step.gradient = download(&d);
    snprintf(step.algorithm, sizeof step.algorithm, "%s", d.backend->algorithm);
    step.plans = df_emulation_cudnn_plans() - plans;
    close_device(&d);
    return step;
}

static struct step train_alone(void)
{
    setenv("DINOFT_CUDA_ALGO", "first", 1);
    const struct step step = train(0);
    unsetenv("DINOFT_CUDA_ALGO");
    assert_string_equal(step.algorithm, "own kernel");
    return step;
}

/* --- the gradient --- */

static void check_gradient(int64_t batch, int64_t tokens, int64_t heads, int64_t size, int capability)
{
    const int64_t sizes[DF_CASE_SIZES] = {batch, tokens, heads, size};
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, DF_PRECISION_BF16, 1);
    struct df_case c = test_case("attention_backward", sizes, DF_BF16);

    assert_non_null(backend);
    if (capability)
        df_cuda_context(backend)->capability = capability;
    struct df_case_run run = test_run_case(&c, backend);
    assert_string_equal(backend->algorithm, capability ? "cuDNN engine 5" : "cuDNN engine 1");
    test_agrees_with_loops(&c, &run);
    df_backend_close(backend);
}

static void gradient_agrees_with_plain_loops(void **state)
{
    check_gradient(2, 33, 2, 64, 0);
    check_gradient(1, 71, 1, 128, 0);
    assert_int_equal(cache_entries(*state), 4); /* the forward passes' too */
    clear_cache(*state);                        /* another version has another file */
    df_emulation_set_cudnn(DF_CUDNN_NEWER);
    df_emulation_set_times(engine_by_hand_is_faster, 2);
    check_gradient(2, 33, 2, 64, 100);
}

/* On Hopper the engine that adds up dq in order stands beside those that store the scores' gradients. */
static void sums_in_order_are_a_candidate(void **state)
{
    static const float last_is_faster[] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f,
                                           1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 0.5f, 1.0f, 1.0f, 1.0f, 0.5f,
                                           1.0f, 1.0f, 1.0f, 0.5f, 1.0f, 1.0f, 1.0f, 0.5f};
    const struct step alone = train_alone();

    df_emulation_set_cudnn(DF_CUDNN_NEWER);
    df_emulation_set_times(last_is_faster, 28); /* 4 rounds of 3 forwards, then of 4 */
    const struct step first = train(90);
    assert_string_equal(first.algorithm, "cuDNN engine 5");
    assert_false(are_equal(first.gradient, alone.gradient));
    const struct step second = train(90);
    assert_int_equal(second.plans, 0);
    assert_true(are_equal(first.gradient, second.gradient));
}

static void dk_that_is_not_needed_is_not_written(void **state)
{
    struct device d = open_device(TOKENS, 0);

    (void)state;
    attend(&d, true);
    find_gradient(&d, false);
    assert_string_equal(d.backend->algorithm, "own kernel");
    find_gradient(&d, true);
    assert_string_equal(d.backend->algorithm, "cuDNN engine 1");
    find_gradient(&d, false);
    assert_string_equal(d.backend->algorithm, "own kernel");
    close_device(&d);
}

static void wrong_gradients_are_not_used(void **state)
{
    static const enum df_emulated_cudnn faults[] = {
        DF_CUDNN_NO_ENGINE, DF_CUDNN_NO_PLAN, DF_CUDNN_NO_RUN,           DF_CUDNN_WRONG_ROW, DF_CUDNN_LARGE,
        DF_CUDNN_NAN,       DF_CUDNN_NO_TEXT, DF_CUDNN_NONDETERMINISTIC, DF_CUDNN_NO_READ};
    const struct step alone = train_alone();

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        df_emulation_set_cudnn(faults[i]);
        const struct step step = train(0);
        assert_string_equal(step.algorithm, "own kernel");
        assert_true(are_equal(step.gradient, alone.gradient));
        assert_false(find_file(*state));
        assert_int_equal(plan_files(*state), 0);
    }
}

/* --- files --- */

static void plans_are_made_once(void **state)
{
    const struct step first = train(0);

    assert_int_equal(first.plans, 4);
    assert_int_equal(plan_files(*state), 2); /* those that are used */
    const struct step second = train(0);
    assert_int_equal(second.plans, 0);
    assert_string_equal(second.algorithm, first.algorithm);
    assert_true(are_equal(second.gradient, first.gradient));
    clear_plans(*state);
    const struct step third = train(0);
    assert_int_equal(third.plans, 2); /* none but those */
    assert_int_equal(plan_files(*state), 2);
    assert_true(are_equal(third.gradient, first.gradient));
}

/* Overwrites a file from `offset` on, and cuts it off behind. */
static void damage(const char *path, long offset, const char *bytes, size_t count, bool cut)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    if (cut)
        assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    fclose(file);
}

static void damaged_files_are_made_anew(void **state)
{
    static const struct {
        long offset;
        const char *bytes;
        size_t count;
        bool cut;
    } damages[] = {{0, "D", 1, false}, {0, "", 0, true},   {0, "dinoft", 6, true},    {-100, "!!", 2, false},
                   {-1, "", 0, true},  {400, "", 0, true}, {-300, "\n\n\n", 3, false}};
    struct autotune_folder *folder = *state;
    const struct step first = train(0);

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        for (int file = plan_files(folder); file > 0; file--)
            damage(folder->plans[file - 1], damages[i].offset, damages[i].bytes, damages[i].count,
                   damages[i].cut);
        const struct step mended = train(0);
        assert_int_equal(mended.plans, 2);
        assert_true(are_equal(mended.gradient, first.gradient));
        const struct step again = train(0);
        assert_int_equal(again.plans, 0);
        assert_int_equal(plan_files(folder), 2);
    }
}

/* A whole file, but of another shape. */
static void files_of_something_else_are_made_anew(void **state)
{
    struct autotune_folder *folder = *state;
    char kept[512];
    const struct step first = train(0);

    assert_int_equal(plan_files(folder), 2);
    snprintf(kept, sizeof kept, "%s", folder->plans[0]);
    assert_int_equal(rename(folder->plans[1], kept), 0);
    const struct step second = train(0);
    assert_int_equal(second.plans, 2);
    assert_true(are_equal(second.gradient, first.gradient));
}

/* --- when they are made --- */

/* Calls of one shape, until the first that is cuDNN's: how many were ours. */
static int own_calls(struct device *d, int most)
{
    int calls = 0;

    d->backend->evaluations++;
    for (; calls < most; calls++) {
        attend(d, false);
        if (strcmp(d->backend->algorithm, "own kernel") != 0)
            break;
    }
    return calls;
}

/* After which `calls` of them a shape's algorithm is due. */
static void set_patience(struct device *d, int calls)
{
    df_cuda_context(d->backend)->attention_patience =
        calls * 4.0 * (double)(BATCH * HEADS * SIZE) * (double)(d->shape.tokens * d->shape.tokens);
}

static void batches_of_one_size_have_plans_at_once(void **state)
{
    struct device d = open_device(TOKENS, 0);

    (void)state;
    assert_int_equal(own_calls(&d, 10), 0);
    close_device(&d);
}

/* The same call is the first with cuDNN's result, whether its plans are quick or slow to make, in a file, or
 * there already. */
static void shapes_that_come_again_have_plans_when_they_are_due(void **state)
{
    static const enum df_emulated_cudnn how[] = {DF_CUDNN_CORRECT, DF_CUDNN_SLOW, DF_CUDNN_SLOW};

    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        struct device d = open_device(TOKENS, 0);
        df_emulation_set_cudnn(how[i]);
        d.backend->transient = true;
        set_patience(&d, 6);
        assert_int_equal(own_calls(&d, 20), 6);
        assert_int_equal(plan_files(*state), 1);
        assert_int_equal(own_calls(&d, 20), 6); /* in another evaluation */
        close_device(&d);
        if (i == 0)
            clear_cache(*state);
    }
}

static void shapes_that_do_not_come_again_have_none(void **state)
{
    struct device d = open_device(TOKENS, 0);
    const int runs = df_emulation_cudnn_runs(), plans = df_emulation_cudnn_plans();

    d.backend->transient = true;
    set_patience(&d, 6);
    assert_int_equal(own_calls(&d, 2), 2);
    assert_int_equal(own_calls(&d, 2), 2);
    assert_int_equal(df_emulation_cudnn_plans(), plans);
    assert_int_equal(own_calls(&d, 5), 5);
    close_device(&d); /* those that were begun are given up */
    assert_int_equal(df_emulation_cudnn_runs(), runs);
    assert_false(find_file(*state));
    assert_int_equal(plan_files(*state), 0);
}

static void training_does_not_wait_for_more_calls(void **state)
{
    struct device d = open_device(TOKENS, 0);

    (void)state;
    d.backend->transient = true;
    attend(&d, true);
    assert_string_equal(d.backend->algorithm, "cuDNN engine 1");
    find_gradient(&d, true);
    assert_string_equal(d.backend->algorithm, "cuDNN engine 1");
    close_device(&d);
}

/* The gradient's plans are made while the forward pass runs; they may not be wanted any more. */
static void gradients_that_never_come_do_no_harm(void **state)
{
    struct device d = open_device(TOKENS, 0);

    df_emulation_set_cudnn(DF_CUDNN_SLOW);
    attend(&d, true);
    close_device(&d);
    assert_int_equal(cache_entries(*state), 1);
}

/* --- in graphs --- */

static int step_work(void *user)
{
    struct device *d = user;

    attend(d, true);
    find_gradient(d, true);
    return 0;
}

/* The step that is captured is the second: its algorithms are known by then. */
static void captured_steps_hold_the_chosen_engines(void **state)
{
    struct device d = open_device(TOKENS, 0);
    struct df_graph *graph = NULL;
    struct gradient gradients[3];
    const int graphs = df_emulation_graphs();

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(d.backend->ops->zero(d.backend, d.run.memory[DQKV], sizeof gradients[i]), 0);
        assert_int_equal(d.backend->ops->graph_replay(d.backend, &graph, step_work, &d), 0);
        gradients[i] = download(&d);
        assert_true(are_equal(gradients[i], gradients[0]));
    }
    assert_int_equal(df_emulation_graphs(), graphs + 1);
    const struct step alone = train_alone();
    assert_false(are_equal(gradients[0], alone.gradient));
    d.backend->ops->graph_free(d.backend, graph);
    close_device(&d);
}

/* What a plan needs for a trial alone is given back. */
static void trials_leave_no_memory_behind(void **state)
{
    struct device d = open_device(TOKENS, 0);
    struct df_cuda_context *context = df_cuda_context(d.backend);

    (void)state;
    df_emulation_set_times(NULL, 0); /* ours is kept */
    attend(&d, true);
    const size_t before = context->scratch.bytes;
    find_gradient(&d, false);
    const size_t own = context->scratch.bytes;
    find_gradient(&d, true);
    assert_true(own >= before);
    assert_int_equal(context->scratch.bytes, own);
    close_device(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gradient_agrees_with_plain_loops, set_up, restore),
        cmocka_unit_test_setup_teardown(sums_in_order_are_a_candidate, set_up, restore),
        cmocka_unit_test_setup_teardown(dk_that_is_not_needed_is_not_written, set_up, restore),
        cmocka_unit_test_setup_teardown(wrong_gradients_are_not_used, set_up, restore),
        cmocka_unit_test_setup_teardown(plans_are_made_once, set_up, restore),
        cmocka_unit_test_setup_teardown(damaged_files_are_made_anew, set_up, restore),
        cmocka_unit_test_setup_teardown(files_of_something_else_are_made_anew, set_up, restore),
        cmocka_unit_test_setup_teardown(batches_of_one_size_have_plans_at_once, set_up, restore),
        cmocka_unit_test_setup_teardown(shapes_that_come_again_have_plans_when_they_are_due, set_up, restore),
        cmocka_unit_test_setup_teardown(shapes_that_do_not_come_again_have_none, set_up, restore),
        cmocka_unit_test_setup_teardown(training_does_not_wait_for_more_calls, set_up, restore),
        cmocka_unit_test_setup_teardown(gradients_that_never_come_do_no_harm, set_up, restore),
        cmocka_unit_test_setup_teardown(captured_steps_hold_the_chosen_engines, set_up, restore),
        cmocka_unit_test_setup_teardown(trials_leave_no_memory_behind, set_up, restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
