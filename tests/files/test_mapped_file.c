/* Mapped files that become shorter while they are in use: an error line and the end, for them alone. */
#include "files/child.h"
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/weight_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 300000

static const char *zeros(const char *name)
{
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    const char *path = scratch_write(name, bytes, SIZE);
    free(bytes);
    return path;
}

static void read_last(const void *bytes, size_t size)
{
    const volatile unsigned char *read = bytes;
    (void)read[size - 1];
}

static struct df_mapping *map_and_shorten(const char *path)
{
    struct df_mapping *mapping = df_mapping_open(path);
    if (!mapping || truncate(path, 10) != 0)
        _exit(2);
    return mapping;
}

static void check_line(const char *text, const char *path)
{
    char expected[1024];

    snprintf(
        expected, sizeof expected,
        "\ndinoft: error: cannot read %s: the file became shorter while it was in use, or its disk failed "
        "(replace a file by renaming, not by writing into it)\n",
        path);
    assert_string_equal(text, expected);
}

static void read_shortened(void *path)
{
    struct df_mapping *mapping = map_and_shorten(path);
    read_last(mapping->bytes, mapping->size);
}

static void a_file_that_becomes_shorter(void **state)
{
    char text[4096], path[512];

    snprintf(path, sizeof path, "%s", zeros("shorter"));
    assert_exited(run_child(read_shortened, path, text, sizeof text), 1, text);
    check_line(text, path);
}

static int read_ahead(const struct df_mapping *mapping)
{
    size_t done = 0;
    int pieces = 0;

    while (df_mapping_read_ahead(mapping, &done))
        pieces++;
    return pieces;
}

/* In pieces, to the end; then past the end of what is left. */
static void read_all_ahead(void *path)
{
    struct df_mapping *mapping = truncate(path, 6000001) == 0 ? df_mapping_open(path) : NULL;

    if (!mapping || read_ahead(NULL) != 0 || read_ahead(mapping) != 2)
        _exit(2);
    df_mapping_close(mapping);
    read_ahead(map_and_shorten(path));
}

static void reading_ahead(void **state)
{
    char text[4096], path[512];

    snprintf(path, sizeof path, "%s", zeros("ahead"));
    assert_exited(run_child(read_all_ahead, path, text, sizeof text), 1, text);
    check_line(text, path);
}

/* Others are mapped before it, after it, and no more. */
static void read_one_of_many(void *path)
{
    struct df_mapping *first = df_mapping_open(scratch_path("other"));
    struct df_mapping *gone = df_mapping_open(scratch_path("other"));
    struct df_mapping *mapping = map_and_shorten(path);
    struct df_mapping *last = df_mapping_open(scratch_path("other"));

    df_mapping_close(gone);
    if (first && last)
        read_last(last->bytes, last->size);
    read_last(mapping->bytes, mapping->size);
}

static void one_of_many_files(void **state)
{
    char text[4096], path[512];

    zeros("other");
    snprintf(path, sizeof path, "%s", zeros("shorter"));
    assert_exited(run_child(read_one_of_many, path, text, sizeof text), 1, text);
    check_line(text, path);
}

static void *read_in_thread(void *mapping)
{
    const struct df_mapping *read = mapping;
    read_last(read->bytes, read->size);
    return NULL;
}

static void read_in_threads(void *path)
{
    struct df_mapping *mapping = map_and_shorten(path);
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, read_in_thread, mapping);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

static void many_threads_give_one_line(void **state)
{
    char text[4096], path[512];

    snprintf(path, sizeof path, "%s", zeros("shorter"));
    assert_exited(run_child(read_in_threads, path, text, sizeof text), 1, text);
    check_line(text, path);
}

/* A tensor at the end of a weight file goes into another file, as convert does it; whether fwrite or the
 * system reads it is not the reader's affair. */
static void write_what_was_shortened(void *path)
{
    struct df_state *weights = df_weight_file_read(path, NULL);

    if (!weights || truncate(path, 4096) != 0)
        _exit(2);
    df_weight_file_write(scratch_path("copy.safetensors"), weights);
}

static void weights_that_are_copied(void **state)
{
    char text[4096], path[512];
    const int64_t shape[] = {SIZE};
    void *bytes = calloc(1, SIZE);
    struct df_state *weights = df_state_new();

    snprintf(path, sizeof path, "%s", scratch_path("w.safetensors"));
    assert_non_null(df_state_adopt(weights, "w", DF_U8, 1, shape, bytes));
    assert_int_equal(df_weight_file_write(path, weights), 0);
    df_state_free(weights);
    const int files = scratch_count();
    assert_exited(run_child(write_what_was_shortened, path, text, sizeof text), 1, text);
    check_line(text, path);
    assert_int_equal(scratch_count(), files); /* neither the copy nor its temporary */
}

/* Memory of our own over a file, while another is mapped by the reader. */
static void read_foreign(void *path)
{
    struct df_mapping *mapping = df_mapping_open(scratch_path("other"));
    const int descriptor = open(path, O_RDONLY);
    void *bytes = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, descriptor, 0);

    if (!mapping || bytes == MAP_FAILED || truncate(path, 0) != 0)
        _exit(2);
    read_last(bytes, SIZE);
}

static void read_closed(void *path)
{
    struct df_mapping *mapping = map_and_shorten(path);
    const void *place = mapping->bytes;
    const int descriptor = open(path, O_RDONLY);

    df_mapping_close(mapping);
    if (mmap((void *)(uintptr_t)place, SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) != place)
        _exit(2);
    read_last(place, SIZE);
}

static void send_to_self(void *path)
{
    if (!df_mapping_open(path))
        _exit(2);
    kill(getpid(), SIGBUS);
    pause();
}

static void other_faults_are_left_alone(void **state)
{
    void (*const work[])(void *) = {read_foreign, read_closed, send_to_self};
    char text[65536], path[512];

    zeros("other");
    for (size_t i = 0; i < sizeof work / sizeof *work; i++) {
        snprintf(path, sizeof path, "%s", zeros("foreign"));
        assert_killed(run_child(work[i], path, text, sizeof text), SIGBUS, text);
        assert_null(strstr(text, "dinoft: error"));
    }
}

static void too_many_files(void **state)
{
    struct df_mapping *mappings[64], *empty;
    const char *path = zeros("many");

    for (int i = 0; i < 64; i++)
        mappings[i] = open_or_fail(path);
    assert_null(df_mapping_open(path));
    assert_error_has("many: 64 files are mapped already");
    empty = open_or_fail(scratch_write("empty", "", 0)); /* takes no place */
    df_mapping_close(empty);
    df_mapping_close(mappings[17]);
    mappings[17] = open_or_fail(path);
    for (int i = 0; i < 64; i++)
        df_mapping_close(mappings[i]);
}

static void write_all_sizes(void **state)
{
    unsigned char *bytes = malloc(SIZE);
    const size_t sizes[] = {0, 1, 65535, 65536, 65537, SIZE};

    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 31 / 7);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        FILE *stream = fopen(scratch_path("copy"), "wb");
        assert_true(df_mapped_write(stream, bytes, sizes[i]));
        assert_int_equal(fclose(stream), 0);
        struct df_mapping *mapping = open_or_fail(scratch_path("copy"));
        assert_int_equal(mapping->size, sizes[i]);
        assert_memory_equal(mapping->bytes, bytes, sizes[i]);
        df_mapping_close(mapping);
    }
    FILE *full = fopen("/dev/full", "wb");
    if (full) {
        assert_false(df_mapped_write(full, bytes, SIZE));
        fclose(full);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_becomes_shorter),
        cmocka_unit_test(reading_ahead),
        cmocka_unit_test(one_of_many_files),
        cmocka_unit_test(many_threads_give_one_line),
        cmocka_unit_test(weights_that_are_copied),
        cmocka_unit_test(other_faults_are_left_alone),
        cmocka_unit_test(too_many_files),
        cmocka_unit_test(write_all_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
