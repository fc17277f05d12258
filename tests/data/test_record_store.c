/* Records in memory and in files: what goes in comes out, wherever it lies, and no file is left. */
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/record_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { COUNT = 40, BYTES = 48, THREADS = 4 };

static size_t bytes_of(int64_t record)
{
    return (size_t)(1 + record % BYTES);
}

static void fill(unsigned char *bytes, int64_t record, size_t size)
{
    for (size_t k = 0; k < size; k++)
        bytes[k] = (unsigned char)(7 * record + (int64_t)k);
}

/* In two parts. No assertions of cmocka's: threads call it. */
static int write_record(struct df_record_store *store, int64_t record, size_t size)
{
    unsigned char bytes[BYTES];
    const size_t half = size / 2;

    fill(bytes, record, size);
    DF_TRY(df_record_store_write(store, record, half, bytes + half, size - half));
    return df_record_store_write(store, record, 0, bytes, half);
}

/* All of it, and its last byte. */
static int compare(const struct df_record_store *store, int64_t record, size_t size)
{
    unsigned char expected[BYTES], buffer[BYTES];

    fill(expected, record, size);
    df_record_store_expect(store, record);
    const void *found = df_record_store_read(store, record, 0, size, buffer);
    if (!found || memcmp(found, expected, size) != 0)
        return -1;
    const unsigned char *last = df_record_store_read(store, record, size - 1, 1, buffer);
    return last && *last == expected[size - 1] ? 0 : -1;
}

static struct df_record_store *open_store(int64_t count, size_t memory, const char *folder)
{
    struct df_record_store *store = df_record_store_open("things", count, memory, folder);

    assert_non_null(store);
    return store;
}

static int files_in_scratch(void)
{
    DIR *folder = opendir(scratch_folder());
    int count = -2; /* "." and ".." */

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* All in memory, some of it, none. */
static void records_of_many_sizes(void **state)
{
    const size_t memory[] = {SIZE_MAX, 300, 0};

    for (int m = 0; m < 3; m++) {
        struct df_record_store *store = open_store(COUNT, memory[m], scratch_folder());
        for (int64_t i = COUNT - 1; i >= 0; i--) {
            assert_int_equal(df_record_store_take(store, i, 1, bytes_of(i)), 0);
            assert_int_equal(write_record(store, i, bytes_of(i)), 0);
        }
        for (int64_t i = 0; i < COUNT; i++)
            assert_int_equal(compare(store, i, bytes_of(i)), 0);
        assert_int_equal(files_in_scratch(), 0); /* however the program ends from here on */
        df_record_store_close(store);
    }
    df_record_store_close(NULL);
}

/* All in memory, or, where that lacks one byte, all in the file. */
static void records_that_take_slots_together(void **state)
{
    unsigned char buffer[BYTES];

    for (size_t lacking = 0; lacking < 2; lacking++) {
        struct df_record_store *store = open_store(COUNT, COUNT * BYTES - lacking, scratch_folder());
        assert_int_equal(df_record_store_take(store, 0, COUNT, BYTES), 0);
        assert_int_equal(df_record_store_reserve(store), 0);
        for (int64_t i = 0; i < COUNT; i++)
            assert_int_equal(write_record(store, i, BYTES), 0);
        for (int64_t i = COUNT - 1; i >= 0; i--)
            assert_int_equal(compare(store, i, BYTES), 0);
        assert_int_equal(df_record_store_read(store, 1, 0, BYTES, buffer) == buffer, lacking);
        assert_int_equal(files_in_scratch(), 0);
        df_record_store_close(store);
    }
}

static void nothing_is_written_where_memory_is_enough(void **state)
{
    struct df_record_store *store = open_store(2, 2 * BYTES, "/no/such/folder");

    assert_int_equal(df_record_store_take(store, 0, 1, BYTES), 0);
    assert_int_equal(df_record_store_reserve(store), 0);
    assert_int_equal(write_record(store, 0, BYTES), 0);
    assert_int_equal(df_record_store_take(store, 1, 1, BYTES + 1), -1);
    assert_error_has("cannot make a temporary file in /no/such/folder");
    assert_int_equal(compare(store, 0, BYTES), 0);
    df_record_store_close(store);
}

static void no_space_anywhere(void **state)
{
    struct df_record_store *store = open_store(COUNT, BYTES, NULL);

    assert_int_equal(df_record_store_take(store, 0, 2, BYTES), -1);
    assert_error_has("out of memory: things needs 96 bytes");
    assert_int_equal(df_record_store_take(store, 0, COUNT, SIZE_MAX / 2), -1);
    assert_error_has("out of memory");
    assert_int_equal(df_record_store_take(store, COUNT, 0, BYTES), 0);
    df_record_store_close(store);
}

static struct df_record_store *open_file(const char *path, int64_t count)
{
    struct df_record_store *store = open_store(count, 0, NULL);
    const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    assert_true(descriptor >= 0);
    df_record_store_use_file(store, descriptor, path);
    assert_int_equal(df_record_store_take(store, 0, 1, 3), 0);
    assert_int_equal(df_record_store_take(store, 1, count - 1, 5), 0);
    return store;
}

/* One behind another; read again by another store; cut short meanwhile. */
static void a_file_with_a_name(void **state)
{
    const char *path = scratch_path("named");
    struct df_record_store *store = open_file(path, 3);
    char buffer[5];
    size_t size;

    assert_int_equal(df_record_store_reserve(store), 0);
    assert_int_equal(df_record_store_write(store, 2, 0, "third", 5), 0);
    assert_int_equal(df_record_store_write(store, 0, 0, "1st", 3), 0);
    assert_int_equal(df_record_store_write(store, 1, 0, "other", 5), 0);
    df_record_store_close(store);
    unsigned char *bytes = read_whole(path, &size);
    assert_int_equal(size, 13);
    assert_memory_equal(bytes, "1stotherthird", size);
    free(bytes);

    store = open_file(path, 3);
    assert_memory_equal(df_record_store_read(store, 2, 0, 5, buffer), "third", 5);
    assert_int_equal(truncate(path, 10), 0);
    assert_null(df_record_store_read(store, 2, 0, 5, buffer));
    assert_error_has("named ends at byte 10, within its things");
    df_record_store_close(store);
    assert_int_equal(unlink(path), 0);
}

static void a_full_disk(void **state)
{
    struct df_record_store *nameless = open_store(2, 0, scratch_folder());
    struct df_record_store *named = open_file(scratch_path("full"), 2);
    struct rlimit before, tight;

    assert_int_equal(df_record_store_take(nameless, 0, 2, BYTES), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = 6;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const int written = write_record(nameless, 1, BYTES);
    assert_error_has("cannot keep things in a temporary file in");
    const int reserved = df_record_store_reserve(named);
    assert_error_has("full: 8 bytes of things: File too large");
    const int named_written = df_record_store_write(named, 1, 0, "12345", 5);
    assert_error_has("full: File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(written, -1);
    assert_int_equal(reserved, -1);
    assert_int_equal(named_written, -1);
    assert_int_equal(write_record(nameless, 1, BYTES), 0);
    assert_int_equal(compare(nameless, 1, BYTES), 0);
    df_record_store_close(nameless);
    df_record_store_close(named);
}

struct worker {
    struct df_record_store *store;
    int64_t first;
    int failed;
};

static void *work(void *context)
{
    struct worker *worker = context;

    for (int64_t i = worker->first; i < COUNT; i += THREADS)
        worker->failed |= df_record_store_take(worker->store, i, 1, bytes_of(i)) != 0 ||
                          write_record(worker->store, i, bytes_of(i)) != 0 ||
                          compare(worker->store, i, bytes_of(i)) != 0;
    return NULL;
}

static void threads_with_records_of_their_own(void **state)
{
    struct df_record_store *store = open_store(COUNT, 200, scratch_folder());
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    for (int t = 0; t < THREADS; t++) {
        workers[t] = (struct worker){store, t, 0};
        assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        assert_false(workers[t].failed);
    }
    for (int64_t i = 0; i < COUNT; i++)
        assert_int_equal(compare(store, i, bytes_of(i)), 0);
    df_record_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_many_sizes),
        cmocka_unit_test(records_that_take_slots_together),
        cmocka_unit_test(nothing_is_written_where_memory_is_enough),
        cmocka_unit_test(no_space_anywhere),
        cmocka_unit_test(a_file_with_a_name),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(threads_with_records_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
