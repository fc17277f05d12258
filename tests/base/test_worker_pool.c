/* The worker pool: every job once and in order, the first failure, ends at any time, signals, threads that
 * cannot be started. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "support/errors.h"

#include "dinoft/worker_pool.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define JOBS   500
#define ROUNDS 50

/* What the jobs of a set leave. Cmocka's assertions are for the main thread alone. */
struct record {
    atomic_int times[JOBS];    /* that job was done */
    atomic_int begun;          /* jobs */
    int numbers[JOBS];         /* in the order in which they began, where there is one thread */
    int64_t first_bad, bad;    /* jobs from first_bad on fail if they are a multiple of bad; 0: none */
    atomic_bool open;          /* jobs wait for it */
    atomic_bool signals_reach; /* a worker that SIGINT could interrupt was seen, or one without its faults */
};

static struct record record;
static int threads_left = INT_MAX; /* that can be started */

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* In place of the library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument)
{
    create_function *const create = (create_function *)dlsym(RTLD_NEXT, "pthread_create");

    if (threads_left == 0)
        return EAGAIN;
    threads_left--;
    return create(thread, attributes, work, argument);
}

static struct df_worker_pool *open_pool(int threads)
{
    struct df_worker_pool *pool = df_worker_pool_open(threads, threads);
    assert_works(pool);
    memset(&record, 0, sizeof record);
    return pool;
}

static int note(void *context, int64_t number)
{
    struct record *noted = context;

    noted->numbers[atomic_fetch_add(&noted->begun, 1) % JOBS] = (int)number;
    atomic_fetch_add(&noted->times[number], 1);
    if (noted->bad > 0 && number >= noted->first_bad && number % noted->bad == 0)
        return df_error_set("job %d", (int)number);
    return 0;
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static int wait_until_open(void *context, int64_t number)
{
    struct record *noted = context;
    const int status = note(context, number);

    while (!noted->open)
        rest();
    return status;
}

static int look_at_signals(void *context, int64_t number)
{
    struct record *noted = context;
    sigset_t blocked;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (!sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGTERM) || sigismember(&blocked, SIGBUS))
        noted->signals_reach = true;
    return note(context, number);
}

static void assert_done_once(int64_t count)
{
    for (int64_t i = 0; i < JOBS; i++)
        assert_int_equal(record.times[i], i < count);
}

static void every_job_once(void **state)
{
    for (int threads = 1; threads <= 9; threads += 4) {
        struct df_worker_pool *pool = open_pool(threads);
        struct df_job_set set;
        for (int64_t count = 0; count <= JOBS; count += 125) {
            memset(&record, 0, sizeof record);
            df_worker_pool_submit(pool, &set, note, &record, count);
            assert_int_equal(df_worker_pool_wait(pool, &set), 0);
            assert_true(df_worker_pool_succeeded(pool, &set));
            assert_done_once(count);
        }
        df_worker_pool_close(pool);
    }
}

static void one_thread_keeps_the_order_of_sets_and_jobs(void **state)
{
    struct df_worker_pool *pool = open_pool(1);
    struct record other = {0};
    struct df_job_set gate, sets[3];

    df_worker_pool_submit(pool, &gate, wait_until_open, &other, 1);
    for (int i = 0; i < 3; i++)
        df_worker_pool_submit(pool, &sets[i], note, &record, 10 * (i + 1));
    assert_false(df_worker_pool_succeeded(pool, &sets[0]));
    other.open = true;
    assert_int_equal(df_worker_pool_wait(pool, &sets[2]), 0);
    assert_true(df_worker_pool_succeeded(pool, &sets[0]));
    assert_int_equal(record.begun, 60);
    for (int i = 0, at = 0; i < 3; i++) {
        for (int number = 0; number < 10 * (i + 1); number++)
            assert_int_equal(record.numbers[at++], number);
    }
    df_worker_pool_close(pool);
}

static void the_first_failure_is_told(void **state)
{
    struct df_worker_pool *pool = open_pool(4);
    struct df_job_set set, next;

    for (int round = 0; round < ROUNDS; round++) {
        memset(&record, 0, sizeof record);
        record.first_bad = 35;
        record.bad = 1;
        df_worker_pool_submit(pool, &set, note, &record, JOBS);
        df_worker_pool_submit(pool, &next, note, &record, 35);
        assert_int_equal(df_worker_pool_wait(pool, &set), -1);
        assert_string_equal(df_error_text(), "job 35");
        assert_false(df_worker_pool_succeeded(pool, &set));
        for (int i = 0; i < 35; i++)
            assert_true(record.times[i] >= 1);
        for (int i = 35 + 4; i < JOBS; i++) /* a thread's first failure is its last job */
            assert_int_equal(record.times[i], 0);
        assert_int_equal(df_worker_pool_wait(pool, &next), 0); /* other sets go on */
        assert_int_equal(record.times[34], 2);
    }
    df_worker_pool_close(pool);
}

static int run_out_of_memory(void *context, int64_t number)
{
    return df_error_memory("a job", 7);
}

/* So nothing is advised, or tried otherwise, where only memory was short. */
static void a_lack_of_memory_stays_one(void **state)
{
    struct df_worker_pool *pool = open_pool(1);
    struct df_job_set set;

    df_worker_pool_submit(pool, &set, run_out_of_memory, NULL, 1);
    assert_int_equal(df_worker_pool_wait(pool, &set), -1);
    assert_true(df_error_is_memory());
    df_error_advise(" (a flag may help)");
    assert_string_equal(df_error_text(), "out of memory: a job needs 7 bytes");
    df_worker_pool_close(pool);
}

static void what_has_not_begun_can_be_dropped(void **state)
{
    struct df_worker_pool *pool = open_pool(3);
    struct df_job_set set, behind;

    df_worker_pool_submit(pool, &set, wait_until_open, &record, JOBS);
    df_worker_pool_submit(pool, &behind, note, &record, JOBS);
    while (record.begun < 3)
        rest();
    assert_true(df_worker_pool_drop(pool, &behind)); /* not the queue's first */
    assert_false(df_worker_pool_succeeded(pool, &behind));
    assert_true(df_worker_pool_drop(pool, &set));
    assert_false(df_worker_pool_drop(pool, &set));
    assert_false(df_worker_pool_succeeded(pool, &set));
    record.open = true;
    assert_int_equal(df_worker_pool_wait(pool, &set), 0);
    assert_done_once(3);

    df_worker_pool_submit(pool, &set, note, &record, JOBS);
    df_worker_pool_submit(pool, &behind, note, &record, JOBS);
    df_worker_pool_drop_all(pool);
    const int begun = record.begun;
    assert_int_equal(df_worker_pool_wait(pool, &set), 0);
    assert_int_equal(df_worker_pool_wait(pool, &behind), 0);
    assert_int_equal(record.begun, begun);
    df_worker_pool_close(pool);
}

static void closed_at_any_time(void **state)
{
    struct df_job_set set;

    for (int round = 0; round < ROUNDS; round++) {
        struct df_worker_pool *pool = open_pool(1 + round % 5);
        if (round % 3 > 0)
            df_worker_pool_submit(pool, &set, note, &record, JOBS);
        if (round % 3 > 1)
            rest();
        df_worker_pool_close(pool);
        for (int i = 0; i < JOBS; i++)
            assert_int_equal(record.times[i], i < record.begun);
    }
    df_worker_pool_close(NULL);
}

static void who_looks_on_sees_all(void **state)
{
    struct df_worker_pool *pool = open_pool(2);
    struct df_job_set set;
    int64_t done = 0, before;
    bool more = true;

    record.first_bad = record.bad = 100;
    df_worker_pool_submit(pool, &set, note, &record, JOBS);
    while (more) {
        before = done;
        more = df_worker_pool_watch(pool, &set, &done);
        assert_true(done > before || !more);
    }
    assert_in_range(done, 100, JOBS - 1);
    assert_int_equal(df_worker_pool_wait(pool, &set), -1);
    df_worker_pool_submit(pool, &set, note, &record, 0);
    done = 0;
    assert_false(df_worker_pool_watch(pool, &set, &done));
    assert_int_equal(done, 0);
    df_worker_pool_close(pool);
}

static void signals_are_for_the_main_thread(void **state)
{
    sigset_t before, after;

    pthread_sigmask(SIG_BLOCK, NULL, &before);
    struct df_worker_pool *pool = open_pool(2);
    struct df_job_set set;
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number < 32; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    df_worker_pool_submit(pool, &set, look_at_signals, &record, JOBS);
    assert_int_equal(df_worker_pool_wait(pool, &set), 0);
    assert_false(record.signals_reach);
    df_worker_pool_close(pool);
}

static void threads_that_cannot_be_started(void **state)
{
    struct df_job_set set;

    memset(&record, 0, sizeof record);
    threads_left = 2;
    assert_null(df_worker_pool_open(4, 3));
    assert_error_has("cannot start thread 3 of 4: ");
    assert_null(df_worker_pool_open(4, 1));
    assert_error_has("cannot start thread 1 of 4: ");
    threads_left = 2;
    struct df_worker_pool *pool = df_worker_pool_open(4, 2); /* what there is does */
    assert_non_null(pool);
    df_worker_pool_submit(pool, &set, note, &record, JOBS);
    assert_int_equal(df_worker_pool_wait(pool, &set), 0);
    assert_done_once(JOBS);
    df_worker_pool_close(pool);
    threads_left = INT_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_once),
        cmocka_unit_test(one_thread_keeps_the_order_of_sets_and_jobs),
        cmocka_unit_test(the_first_failure_is_told),
        cmocka_unit_test(a_lack_of_memory_stays_one),
        cmocka_unit_test(what_has_not_begun_can_be_dropped),
        cmocka_unit_test(closed_at_any_time),
        cmocka_unit_test(who_looks_on_sees_all),
        cmocka_unit_test(signals_are_for_the_main_thread),
        cmocka_unit_test(threads_that_cannot_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
