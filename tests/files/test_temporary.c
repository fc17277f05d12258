/* Temporary files: nothing of a dead writer stays, nothing of a living one goes. */
#include "files/child.h"
#include "support/cmocka_all.h"
#include "support/scratch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "dinoft/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ELSEWHERE ".dinoft-0123456789abcdef-fedcba9876543210.tmp"
#define EARLIER   ".dinoft-1-0.tmp"

/* How the folder is swept. */
static void sweep(void)
{
    assert_int_equal(df_check_writable(scratch_folder()), 0);
}

static void put(const char *name, int age)
{
    const time_t then = time(NULL) - age;
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    const int file = open(scratch_path(name), O_WRONLY | O_CREAT | O_EXCL, 0644);

    assert_true(file >= 0);
    assert_int_equal(futimens(file, times), 0);
    close(file);
}

static bool is_there(const char *name)
{
    struct stat status;
    return lstat(scratch_path(name), &status) == 0;
}

static void begin_and_die(void *path)
{
    struct df_atomic_file *file = df_atomic_open(path);
    if (!file)
        _exit(2);
    fprintf(df_atomic_stream(file), "half");
    fflush(df_atomic_stream(file));
    raise(SIGKILL);
}

static void remains_of_a_killed_writer_go(void **state)
{
    char text[256], path[512];

    snprintf(path, sizeof path, "%s", scratch_path("file"));
    assert_killed(run_child(begin_and_die, path, text, sizeof text), SIGKILL, text);
    assert_killed(run_child(begin_and_die, path, text, sizeof text), SIGKILL, text);
    assert_int_equal(scratch_count(), 2);
    sweep();
    assert_int_equal(scratch_count(), 0);
}

static void a_living_writer_keeps_its_file(void **state)
{
    char text[256], path[512];

    snprintf(path, sizeof path, "%s", scratch_path("file"));
    struct df_atomic_file *file = df_atomic_open(path);
    assert_non_null(file);
    fprintf(df_atomic_stream(file), "whole");
    assert_killed(run_child(begin_and_die, path, text, sizeof text), SIGKILL, text);
    assert_int_equal(scratch_count(), 2);
    sweep();
    assert_int_equal(scratch_count(), 1);
    assert_int_equal(df_atomic_commit(file), 0);
    sweep();
    assert_true(is_there("file"));
    assert_int_equal(scratch_count(), 1);
}

/* Of other machines, and of earlier builds, which held no lock. */
static void without_proof_it_must_be_old(void **state)
{
    static const char *const names[] = {ELSEWHERE, EARLIER};
    const int hour = 3600;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        put(names[i], 23 * hour);
        sweep();
        assert_true(is_there(names[i]));
        assert_int_equal(unlink(scratch_path(names[i])), 0);
        put(names[i], 25 * hour);
        const int file = open(scratch_path(names[i]), O_WRONLY);
        assert_int_equal(flock(file, LOCK_EX), 0);
        sweep();
        assert_true(is_there(names[i]));
        close(file);
        sweep();
        assert_false(is_there(names[i]));
    }
}

/* The name of a file that was made here by a process that is dead. */
static void name_of_a_dead_file(char name[DF_TEMPORARY_NAME_SIZE])
{
    struct df_temporary temporary;
    assert_int_equal(df_temporary_create(&temporary, scratch_folder()), 0);
    snprintf(name, DF_TEMPORARY_NAME_SIZE, "%s", temporary.name);
    df_temporary_remove(&temporary);
}

static void other_names_are_left_alone(void **state)
{
    static const char *const names[] = {
        ".dinoft-0123456789abcdef-fedcba9876543210.tmp~",
        ".dinoft-0123456789abcdef-fedcba987654321.tmp",
        ".dinoft-0123456789abcdeg-fedcba9876543210.tmp",
        "dinoft-0123456789abcdef-fedcba9876543210.tmp",
        ".dinoft-0123456789ABCDEF-fedcba9876543210.tmp",
        ".dinoft-run.lock",
        ".dinoft-1-.tmp",
        ".dinoft--1.tmp",
        ".dinoft-1-2-3.tmp",
        ".dinoft-a-0.tmp",
        ".dinoft-1-0.tm",
    };
    const int n_names = sizeof names / sizeof *names;
    char dead[DF_TEMPORARY_NAME_SIZE], other[DF_TEMPORARY_NAME_SIZE];

    for (int i = 0; i < n_names; i++)
        put(names[i], 1000000);
    name_of_a_dead_file(dead);
    assert_int_equal(mkdir(scratch_path(dead), 0755), 0);
    name_of_a_dead_file(other);
    assert_int_equal(symlink(names[0], scratch_path(other)), 0);
    sweep();
    assert_int_equal(scratch_count(), n_names + 2);
    assert_int_equal(rmdir(scratch_path(dead)), 0);
    put(dead, 0);
    sweep();
    assert_false(is_there(dead));
}

static void thousands_of_remains_stop_nobody(void **state)
{
    char name[64];

    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, ".dinoft-%ld-%d.tmp", (long)getpid(), i);
        put(name, 0);
    }
    assert_int_equal(df_atomic_write(scratch_path("file"), "text", 4), 0);
    assert_int_equal(scratch_count(), 1501);
}

static void begin_two_and_clean_up(void *path)
{
    struct df_atomic_file *kept = df_atomic_open(path);
    char other[600];

    snprintf(other, sizeof other, "%s.other", (char *)path);
    struct df_atomic_file *finished = df_atomic_open(other);
    if (!kept || !finished || df_atomic_commit(finished) != 0 || df_temporary_nameless(scratch_folder()) < 0)
        _exit(2);
    df_cleanup_run();
    _exit(df_atomic_commit(kept) == 0 ? 3 : 0); /* its file is gone */
}

static void a_handler_removes_what_is_open(void **state)
{
    char text[256], path[512];

    snprintf(path, sizeof path, "%s", scratch_path("file"));
    assert_exited(run_child(begin_two_and_clean_up, path, text, sizeof text), 0, text);
    assert_true(is_there("file.other"));
    assert_int_equal(scratch_count(), 1);
}

/* More than the table for handlers holds. */
static void many_at_a_time(void **state)
{
    struct df_temporary temporaries[300];

    for (int i = 0; i < 300; i++)
        assert_int_equal(df_temporary_create(&temporaries[i], scratch_folder()), 0);
    sweep();
    assert_int_equal(scratch_count(), 300);
    for (int i = 0; i < 300; i++) {
        if (i % 2)
            df_temporary_remove(&temporaries[i]);
        else
            assert_int_equal(df_temporary_rename(&temporaries[i], scratch_path("file")), 0);
    }
    assert_int_equal(scratch_count(), 1);
}

static void no_name_at_all(void **state)
{
    char bytes[4];
    const int file = df_temporary_nameless(scratch_folder());

    assert_true(file >= 0);
    assert_int_equal(scratch_count(), 0);
    assert_int_equal(pwrite(file, "text", 4, 1000), 4);
    assert_int_equal(pread(file, bytes, 4, 1000), 4);
    assert_memory_equal(bytes, "text", 4);
    close(file);
    assert_int_equal(df_temporary_nameless("/nonexistent"), -1);
    assert_string_equal(df_error_text(),
                        "cannot make a temporary file in /nonexistent: No such file or directory");
}

static void a_final_name_that_cannot_be_had(void **state)
{
    struct df_temporary temporary;

    assert_int_equal(mkdir(scratch_path("folder"), 0755), 0);
    assert_int_equal(df_temporary_create(&temporary, scratch_folder()), 0);
    assert_int_equal(df_temporary_rename(&temporary, scratch_path("folder")), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(scratch_count(), 1);
}

static void *write_files(void *path)
{
    for (int i = 0; i < 100; i++) {
        if (df_atomic_write(path, "text", 4) != 0)
            return path;
    }
    return NULL;
}

static void sweep_until_killed(void *unused)
{
    for (;;)
        df_check_writable(scratch_folder());
}

/* Processes that look for remains, while others make, lock, rename and remove files. */
static void sweeping_harms_no_writer(void **state)
{
    pid_t sweepers[2];
    pthread_t threads[3];
    char paths[3][512];
    void *failed;

    for (int i = 0; i < 2; i++)
        sweepers[i] = start_child(sweep_until_killed, NULL);
    for (int i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d", scratch_folder(), i);
        assert_int_equal(pthread_create(&threads[i], NULL, write_files, paths[i]), 0);
    }
    int failures = 0;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &failed);
        failures += failed != NULL;
    }
    for (int i = 0; i < 2; i++)
        end_child(sweepers[i]);
    assert_int_equal(failures, 0);
    sweep();
    assert_int_equal(scratch_count(), 3);
}

/* A folder for each test: what is in it counts. */
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(remains_of_a_killed_writer_go),
        TEST(a_living_writer_keeps_its_file),
        TEST(without_proof_it_must_be_old),
        TEST(other_names_are_left_alone),
        TEST(thousands_of_remains_stop_nobody),
        TEST(a_handler_removes_what_is_open),
        TEST(many_at_a_time),
        TEST(no_name_at_all),
        TEST(a_final_name_that_cannot_be_had),
        TEST(sweeping_harms_no_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
