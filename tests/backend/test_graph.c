/* Work that is done again and again: the same results whether a device captures it or calls it each time. */
#include "device.h"

#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include "dinoft/error.h"

#define COUNT 64
#define ROWS  1000 /* of which sums are partial sums in scratch memory first */
#define TIMES 6

struct work {
    struct test_device *device;
    float *sum, *term; /* sum [ROWS, COUNT], all but its first row zeros */
    int calls, fails_at;
};

/* sum = 2 * sum + term, by operations that use scratch memory and such that do not. */
static int double_and_add(void *argument)
{
    struct work *work = argument;
    struct df_backend *backend = work->device->backend;
    const struct df_matrix sum = {work->sum, DF_F32, 1, COUNT, COUNT};

    if (++work->calls == work->fails_at)
        return df_error_set("out of order");
    DF_TRY(backend->ops->column_sum(backend, (struct df_matrix){work->sum, DF_F32, ROWS, COUNT, COUNT},
                                    work->term + COUNT));
    DF_TRY(backend->ops->add_bias(backend, sum, work->term + COUNT));
    return backend->ops->add_bias(backend, sum, work->term);
}

static struct work make_work(struct test_device *device)
{
    float *terms = test_random(device, 2 * COUNT, 0.0, 1.0);
    float *start = test_random(device, ROWS * COUNT, 0.0, 1.0);

    memset(start + COUNT, 0, (ROWS - 1) * COUNT * sizeof *start);
    return (struct work){.device = device,
                         .sum = test_put_f32(device, start, ROWS * COUNT),
                         .term = test_put_f32(device, terms, 2 * COUNT)};
}

/* sum as it has to be after so many more times. */
static void add_expected(struct work *work, double *sum, int times)
{
    const float *term = test_get_f32(work->device, work->term, COUNT);

    for (; times > 0; times--) {
        for (int i = 0; i < COUNT; i++)
            sum[i] = 2.0 * sum[i] + (double)term[i];
    }
}

static void check_replay(struct test_device *device)
{
    struct df_backend *backend = device->backend;
    struct df_graph *graph = NULL;
    struct work work = make_work(device);
    double *sum = test_widen(device, test_get_f32(device, work.sum, COUNT), COUNT);

    for (int i = 0; i < TIMES; i++) {
        /* What comes between does not disturb the graph, but for a larger scratch buffer, which moves. */
        if (i == 4) {
            float *large = test_buffer_f32(device, 3000 * 512);
            assert_int_equal(backend->ops->zero(backend, large, 3000 * 512 * sizeof *large), 0);
            assert_int_equal(backend->ops->column_sum(backend,
                                                      (struct df_matrix){large, DF_F32, 3000, 512, 512},
                                                      test_buffer_f32(device, 512)),
                             0);
        }
        assert_int_equal(backend->ops->graph_replay(backend, &graph, double_and_add, &work), 0);
        add_expected(&work, sum, 1);
        test_near("sum", test_get_f32(device, work.sum, COUNT), sum, COUNT, 1e-5);
    }
    if (!test_on_cpu())
        assert_in_range(work.calls, 2, TIMES - 1); /* it was captured */
    backend->ops->graph_free(backend, graph);
    backend->ops->graph_free(backend, NULL);
}

static void replayed_work_is_the_same(void **state)
{
    (void)state;
    test_on_threads(check_replay);
}

/* Whenever it comes, a failure is the caller's to know or it leaves no trace. */
static void check_failures(struct test_device *device)
{
    struct df_backend *backend = device->backend;

    for (int fails_at = 1; fails_at <= 3; fails_at++) {
        struct df_graph *graph = NULL;
        struct work work = make_work(device);
        double *sum = test_widen(device, test_get_f32(device, work.sum, COUNT), COUNT);
        int done = 0;
        work.fails_at = fails_at;
        for (int i = 0; i < TIMES; i++)
            done += backend->ops->graph_replay(backend, &graph, double_and_add, &work) == 0;
        assert_in_range(done, TIMES - 1, TIMES);
        add_expected(&work, sum, done);
        test_near("sum", test_get_f32(device, work.sum, COUNT), sum, COUNT, 1e-5);
        backend->ops->graph_free(backend, graph);
    }
}

static void failures_do_not_stay(void **state)
{
    (void)state;
    test_on_threads(check_failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replayed_work_is_the_same),
        cmocka_unit_test(failures_do_not_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
