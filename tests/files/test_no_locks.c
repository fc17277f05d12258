/* A file system without locks: files are written all the same, nothing is removed but for its age, and what
 * cannot be guarded is said. */
#include "files/child.h"
#include "files/file_support.h"
#include "support/scratch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/run_lock.h"
#include "dinoft/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* In place of the C library's. */
int flock(int descriptor, int operation)
{
    errno = ENOSYS;
    return -1;
}

static void begin_and_die(void *path)
{
    struct df_temporary temporary;
    if (df_temporary_create(&temporary, path) != 0)
        _exit(2);
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    if (strstr(path, "old") && futimens(temporary.descriptor, times) != 0)
        _exit(2);
    raise(SIGKILL);
}

static void what_is_left_must_be_old(void **state)
{
    char text[256], fresh[512], old[512];

    snprintf(fresh, sizeof fresh, "%s", scratch_path("fresh"));
    snprintf(old, sizeof old, "%s", scratch_path("old"));
    assert_int_equal(df_make_folder(fresh), 0);
    assert_int_equal(df_make_folder(old), 0);
    assert_killed(run_child(begin_and_die, fresh, text, sizeof text), SIGKILL, text);
    assert_killed(run_child(begin_and_die, old, text, sizeof text), SIGKILL, text);
    assert_int_equal(df_check_writable(fresh), 0);
    assert_int_equal(df_check_writable(old), 0);
    assert_int_equal(rmdir(old), 0);
    assert_int_equal(rmdir(fresh), -1);
    assert_int_equal(errno, ENOTEMPTY);
    char command[600];
    snprintf(command, sizeof command, "rm -r '%s'", fresh);
    assert_int_equal(system(command), 0);
}

static void files_are_written(void **state)
{
    const int files = scratch_count();

    assert_int_equal(df_atomic_write(scratch_path("file"), "text", 4), 0);
    assert_int_equal(scratch_count(), files + 1);
}

static void lock_twice(void *folder)
{
    struct df_run_lock *first = df_run_lock_open(folder, "run", ""),
                       *second = df_run_lock_open(folder, "run", "");

    if (!first || !second)
        _exit(2);
    df_run_lock_close(second);
    df_run_lock_close(first);
}

static void runs_are_not_kept_apart(void **state)
{
    char text[1024], folder[512], line[640], expected[1300];
    const int files = scratch_count();

    snprintf(folder, sizeof folder, "%s", scratch_path("."));
    assert_exited(run_child(lock_twice, folder, text, sizeof text), 0, text);
    snprintf(line, sizeof line,
             "dinoft: warning: files cannot be locked in %s: another run 'run' there would not be noticed\n",
             folder);
    snprintf(expected, sizeof expected, "%s%s", line, line);
    assert_string_equal(text, expected);
    assert_int_equal(scratch_count(), files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_must_be_old),
        cmocka_unit_test(files_are_written),
        cmocka_unit_test(runs_are_not_kept_apart),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
