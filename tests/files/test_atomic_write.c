#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/cleanup.h"
#include "dinoft/error.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_holds(const char *path, const char *text)
{
    struct df_mapping *mapping = open_or_fail(path);
    assert_int_equal(mapping->size, strlen(text));
    assert_memory_equal(mapping->bytes, text, strlen(text));
    df_mapping_close(mapping);
}

static void writes_and_replaces(void **unused)
{
    struct stat status;
    const char *path = scratch_path("file");
    mode_t mask = umask(027);
    assert_int_equal(df_atomic_write(path, "old", 3), 0);
    umask(mask);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);

    int files = scratch_count();
    struct df_atomic_file *file = df_atomic_open(path);
    assert_non_null(file);
    fprintf(df_atomic_stream(file), "new");
    fflush(df_atomic_stream(file));
    assert_holds(path, "old"); /* until the commit */
    assert_int_equal(df_atomic_commit(file), 0);
    assert_holds(path, "new");
    assert_int_equal(df_atomic_write(path, "", 0), 0);
    assert_holds(path, "");
    assert_int_equal(scratch_count(), files);
}

static void writes_two_at_a_time(void **unused)
{
    struct df_atomic_file *a = df_atomic_open(scratch_path("a")), *b = df_atomic_open(scratch_path("b"));
    assert_non_null(a);
    assert_non_null(b);
    fprintf(df_atomic_stream(a), "a");
    fprintf(df_atomic_stream(b), "b");
    assert_int_equal(df_atomic_commit(a), 0);
    assert_int_equal(df_atomic_commit(b), 0);
    assert_holds(scratch_path("a"), "a");
    assert_holds(scratch_path("b"), "b");
}

static void aborts(void **unused)
{
    assert_int_equal(df_atomic_write(scratch_path("file"), "old", 3), 0);
    int files = scratch_count();
    struct df_atomic_file *file = df_atomic_open(scratch_path("file"));
    assert_non_null(file);
    fprintf(df_atomic_stream(file), "new");
    df_error_set("the reason");
    df_atomic_abort(file);
    df_atomic_abort(NULL);
    assert_string_equal(df_error_text(), "the reason");
    assert_holds(scratch_path("file"), "old");
    assert_int_equal(scratch_count(), files);
}

/* A limit on file sizes stands in for a full disk: a write beyond it fails in the same way. */
static void keeps_the_old_file_when_writing_fails(void **unused)
{
    const size_t sizes[] = {
        5000, 1 << 20}; /* one that fails when it is flushed at the end, one that fails at once */
    char *bytes = calloc(1, 1 << 20);
    struct rlimit limit, small;
    char expected[128];

    assert_int_equal(df_atomic_write(scratch_path("file"), "old", 3), 0);
    int files = scratch_count();
    snprintf(expected, sizeof expected, "cannot write %s: File too large", scratch_path("file"));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        small = limit;
        small.rlim_cur = 4096;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        int status = df_atomic_write(scratch_path("file"), bytes, sizes[i]);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0); /* before an assertion writes anything */
        assert_int_equal(status, -1);
        assert_string_equal(df_error_text(), expected);
        assert_holds(scratch_path("file"), "old");
        assert_int_equal(scratch_count(), files);
    }
    signal(SIGXFSZ, handler);
    free(bytes);
}

static void refuses_what_is_no_file(void **unused)
{
    assert_null(df_atomic_open("/dev/null"));
    assert_string_equal(df_error_text(), "cannot write /dev/null: it exists and is not a regular file");
    assert_null(df_atomic_open("."));
    assert_null(df_atomic_open("/nonexistent/folder/file"));
    assert_string_equal(df_error_text(), "cannot write /nonexistent/folder/file: cannot create a file in "
                                         "/nonexistent/folder: No such file or directory");
}

static void makes_folders(void **unused)
{
    struct stat status;
    char deep[512], below_file[512];
    snprintf(deep, sizeof deep, "%s/x//y/", scratch_path("deep"));
    assert_int_equal(df_make_folder(deep), 0);
    assert_int_equal(df_make_folder(deep), 0);
    assert_int_equal(df_make_folder("/"), 0);
    assert_int_equal(stat(deep, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(df_check_writable(deep), 0);
    assert_int_equal(rmdir(deep), 0); /* the check left nothing behind */
    snprintf(deep, sizeof deep, "%s/x", scratch_path("deep"));
    assert_int_equal(rmdir(deep), 0);

    scratch_write("plain", "", 0);
    assert_int_equal(df_make_folder(scratch_path("plain")), -1);
    assert_error_has("/plain: a file has that name");
    snprintf(below_file, sizeof below_file, "%s/x", scratch_path("plain"));
    assert_int_equal(df_check_writable(below_file), -1);
    assert_int_equal(df_make_folder(""), -1);
}

/* The inner one that something was put into stays, and so does what it lies in. */
static void removes_folders_that_stayed_empty(void **unused)
{
    char inner[512], used[512], file[600];
    snprintf(inner, sizeof inner, "%s/x/y", scratch_path("empty"));
    snprintf(used, sizeof used, "%s/x", scratch_path("used"));
    snprintf(file, sizeof file, "%s/file", used);
    df_cleanup_folders(); /* those of other tests */
    assert_int_equal(df_make_folder(inner), 0);
    assert_int_equal(df_make_folder(used), 0);
    assert_int_equal(df_atomic_write(file, "", 0), 0);
    df_cleanup_folders();
    assert_int_equal(access(scratch_path("empty"), F_OK), -1);
    assert_int_equal(access(file, F_OK), 0);
    unlink(file);
    df_cleanup_folders(); /* it is forgotten */
    assert_int_equal(access(used, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_replaces),
        cmocka_unit_test(writes_two_at_a_time),
        cmocka_unit_test(aborts),
        cmocka_unit_test(keeps_the_old_file_when_writing_fails),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(makes_folders),
        cmocka_unit_test(removes_folders_that_stayed_empty),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
