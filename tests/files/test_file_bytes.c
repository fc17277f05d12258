/* Whole files in memory: as they are, or an error. */
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/file_bytes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct df_file_bytes read_or_fail(const char *path)
{
    struct df_file_bytes file;
    assert_works(df_file_bytes_read(path, &file) == 0);
    return file;
}

static void assert_fails(const char *path, const char *error)
{
    struct df_file_bytes file;
    assert_int_equal(df_file_bytes_read(path, &file), -1);
    assert_null(file.bytes);
    assert_error_has(error);
}

/* One after the other in the same memory, longer and shorter; two at a time; none. */
static void reads_files(void **state)
{
    static const char text[] = "one after the other, longer and shorter";

    for (size_t size = 0; size < sizeof text; size = size * 3 % (sizeof text + 1) + 1) {
        struct df_file_bytes file = read_or_fail(scratch_write("some", text, size));
        assert_int_equal(file.size, size);
        assert_memory_equal(file.bytes, text, size);
        struct df_file_bytes other = read_or_fail(scratch_write("other", "other", 5));
        assert_memory_equal(file.bytes, text, size);
        assert_memory_equal(other.bytes, "other", 5);
        df_file_bytes_free(&file);
        assert_null(file.bytes);
        df_file_bytes_free(&file);
        df_file_bytes_free(&other);
    }
}

static void reads_large_files(void **state)
{
    const size_t size = (17 << 20) + 3;
    unsigned char *bytes = malloc(size);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    const char *path = scratch_write("large", bytes, size);
    for (int i = 0; i < 2; i++) {
        struct df_file_bytes file = read_or_fail(path);
        assert_int_equal(file.size, size);
        assert_memory_equal(file.bytes, bytes, size);
        df_file_bytes_free(&file);
    }
    free(bytes);
}

static void *read_many(void *path)
{
    struct df_file_bytes file;
    for (int i = 0; i < 100; i++) {
        if (df_file_bytes_read(path, &file) != 0 || file.size != 5 || memcmp(file.bytes, "bytes", 5) != 0)
            return path;
        df_file_bytes_free(&file);
    }
    return NULL;
}

static void threads_have_memory_of_their_own(void **state)
{
    pthread_t threads[4];
    char path[512];
    void *failed;

    snprintf(path, sizeof path, "%s", scratch_write("some", "bytes", 5));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, path), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

static void refuses_what_is_no_file(void **state)
{
    assert_fails("/nonexistent/file", "cannot open /nonexistent/file: No such file or directory");
    assert_fails("/", "cannot open /: it is a folder");
    assert_fails("/dev/null", "cannot open /dev/null: it is not a regular file");
    assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
    assert_fails(scratch_path("fifo"), "it is not a regular file");
}

static void refuses_what_is_too_large(void **state)
{
    const char *path = scratch_write("sparse", "", 0);
    if (truncate(path, DF_FILE_BYTES_MAX + 1) != 0)
        skip(); /* a file system of small files */
    assert_fails(path, "sparse: it has 4294967297 bytes, more than 4294967296");
}

/* Files of the kernel say another size than they have, as a file does that is rewritten meanwhile: these say
 * 0, and a page. */
static void refuses_what_changes_its_size(void **state)
{
    struct stat status;

    assert_fails("/proc/self/status",
                 "cannot read /proc/self/status: it changed meanwhile, from 0 bytes to more");
    if (stat("/sys/devices/system/cpu/online", &status) != 0 || status.st_size != 4096)
        skip();
    assert_fails("/sys/devices/system/cpu/online", "it changed meanwhile, from 4096 bytes to fewer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files),
        cmocka_unit_test(reads_large_files),
        cmocka_unit_test(threads_have_memory_of_their_own),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_what_is_too_large),
        cmocka_unit_test(refuses_what_changes_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
