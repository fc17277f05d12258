/* One run of a name at a time, and no lock that outlives its run. */
#include "files/child.h"
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "dinoft/run_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *here(void)
{
    return scratch_path(".");
}

static struct df_run_lock *lock_or_fail(const char *stem)
{
    struct df_run_lock *lock = df_run_lock_open(here(), stem, "");
    assert_works(lock);
    return lock;
}

static void one_at_a_time(void **state)
{
    char host[256] = "", expected[1024];
    const int files = scratch_count();
    struct df_run_lock *lock = lock_or_fail("run");

    assert_null(df_run_lock_open(here(), "run", ""));
    gethostname(host, sizeof host - 1);
    snprintf(expected, sizeof expected,
             "the run 'run' in %s is being written by process %ld on host %s since 20", here(),
             (long)getpid(), host);
    assert_works(strncmp(df_error_text(), expected, strlen(expected)) == 0);
    assert_error_has(" UTC");

    struct df_run_lock *other = lock_or_fail("run2");
    df_run_lock_close(other);
    df_run_lock_close(lock);
    df_run_lock_close(NULL);
    assert_int_equal(scratch_count(), files);
    df_run_lock_close(lock_or_fail("run"));
    assert_int_equal(scratch_count(), files);
}

static void a_name_with_a_folder(void **state)
{
    struct stat status;

    assert_int_equal(df_make_folder(scratch_path("inner")), 0);
    struct df_run_lock *lock = lock_or_fail("inner/run");
    assert_int_equal(stat(scratch_path("inner/.dinoft-run.lock"), &status), 0);
    assert_null(df_run_lock_open(scratch_path("inner"), "run", "")); /* the same files */
    df_run_lock_close(lock);
    assert_int_equal(rmdir(scratch_path("inner")), 0);
    assert_null(df_run_lock_open(here(), "missing/run", ""));
    assert_error_has("cannot lock the run 'missing/run'");
}

static void hold(void *stem)
{
    if (!df_run_lock_open(here(), stem, ""))
        _exit(2);
}

static void lock_and_die(void *stem)
{
    hold(stem);
    raise(SIGKILL);
}

static void lock_and_clean_up(void *stem)
{
    hold(stem);
    df_cleanup_run();
}

/* The file of a killed process is not locked, whatever is in it. */
static void a_killed_run_blocks_nobody(void **state)
{
    char text[256], stem[] = "run";
    const int files = scratch_count();

    assert_killed(run_child(lock_and_die, stem, text, sizeof text), SIGKILL, text);
    assert_int_equal(scratch_count(), files + 1);
    df_run_lock_close(lock_or_fail("run"));
    assert_int_equal(scratch_count(), files);

    char remains[2000];
    memset(remains, 'x', sizeof remains);
    scratch_write(".dinoft-run.lock", remains, sizeof remains);
    struct df_run_lock *lock = lock_or_fail("run");
    assert_null(df_run_lock_open(here(), "run", ""));
    assert_error_has("by process ");
    assert_null(strstr(df_error_text(), "xxx"));
    df_run_lock_close(lock);
    assert_int_equal(scratch_count(), files);

    assert_exited(run_child(lock_and_clean_up, stem, text, sizeof text), 0, text);
    assert_int_equal(scratch_count(), files);
}

static void what_cannot_be_a_lock(void **state)
{
    assert_int_equal(mkdir(scratch_path(".dinoft-run.lock"), 0755), 0);
    assert_null(df_run_lock_open(here(), "run", ""));
    assert_error_has(".dinoft-run.lock: Is a directory");
    assert_int_equal(rmdir(scratch_path(".dinoft-run.lock")), 0);

    /* What it leads to must not be written to. */
    scratch_write("target", "text", 4);
    assert_int_equal(symlink("target", scratch_path(".dinoft-run.lock")), 0);
    assert_null(df_run_lock_open(here(), "run", ""));
    assert_int_equal(unlink(scratch_path(".dinoft-run.lock")), 0);
    struct df_mapping *target = open_or_fail(scratch_path("target"));
    assert_int_equal(target->size, 4);
    df_mapping_close(target);
}

/* Takes and releases the lock until it is killed; while it has it, it has made a file that nobody else may
 * have. */
static void compete(void *unused)
{
    for (;;) {
        struct df_run_lock *lock = df_run_lock_open(here(), "race", "");
        if (!lock)
            continue;
        const int file = open(scratch_path("mine"), O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (file < 0 || close(file) != 0 || unlink(scratch_path("mine")) != 0)
            scratch_write("both", "", 0);
        df_run_lock_close(lock);
    }
}

/* Files that are removed, made anew and locked by several processes at once: never two have it. */
static void removing_the_file_lets_nobody_in(void **state)
{
    pid_t children[3];
    struct stat status;
    int taken = 0;

    for (int i = 0; i < 3; i++)
        children[i] = start_child(compete, NULL);
    for (int i = 0; i < 20000; i++) {
        struct df_run_lock *lock = df_run_lock_open(here(), "race", "");
        taken += lock != NULL;
        if (lock && stat(scratch_path("mine"), &status) == 0)
            scratch_write("both", "", 0);
        df_run_lock_close(lock);
    }
    for (int i = 0; i < 3; i++)
        end_child(children[i]);
    assert_true(taken > 0);
    assert_int_not_equal(stat(scratch_path("both"), &status), 0);
    unlink(scratch_path("mine"));
    df_run_lock_close(lock_or_fail("race"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(a_name_with_a_folder),
        cmocka_unit_test(a_killed_run_blocks_nobody),
        cmocka_unit_test(what_cannot_be_a_lock),
        cmocka_unit_test(removing_the_file_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
