/* Lines on standard error and in a file. */
#include "support/cmocka_all.h"

#include "dinoft/log.h"
#include "dinoft/progress.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 65536
#define TIME     (sizeof DF_LOG_TIME - 1)

struct streams {
    FILE *error, *file;
    int kept; /* standard error, meanwhile */
};

static void begin(struct streams *streams, bool quiet, bool file)
{
    streams->error = tmpfile();
    streams->file = tmpfile();
    assert_true(streams->error && streams->file);
    fflush(stderr);
    streams->kept = dup(STDERR_FILENO);
    assert_true(streams->kept >= 0 && dup2(fileno(streams->error), STDERR_FILENO) >= 0);
    df_log_settings(quiet, file ? fileno(streams->file) : -1);
}

static void read_stream(char text[TEXT_MAX], FILE *stream)
{
    rewind(stream);
    const size_t length = fread(text, 1, TEXT_MAX - 1, stream);
    text[length] = '\0';
    fclose(stream);
}

static void end(struct streams *streams, char error[TEXT_MAX], char file[TEXT_MAX])
{
    fflush(stderr);
    dup2(streams->kept, STDERR_FILENO);
    close(streams->kept);
    df_log_settings(false, -1);
    read_stream(error, streams->error);
    read_stream(file, streams->file);
}

/* Checks that each line begins with a time, and takes all times away. */
static void take_times_away(char *file)
{
    char *to = file;

    for (char *line = file, *next; *line; line = next) {
        next = strchr(line, '\n');
        assert_non_null(next);
        next++;
        assert_true((size_t)(next - line) > TIME);
        for (size_t i = 0; i < TIME; i++)
            assert_true(DF_LOG_TIME[i] == '0' ? isdigit((unsigned char)line[i]) : line[i] == DF_LOG_TIME[i]);
        memmove(to, line + TIME, (size_t)(next - line) - TIME);
        to += (size_t)(next - line) - TIME;
    }
    *to = '\0';
}

static void write_some_lines(void)
{
    df_log("%d images of %s", 3, "a\nb\x1b");
    df_log("warning: %s", "take care");
    df_log("error: it is over");
    df_log_to_file("begins");
}

static void lines_go_to_both(void **state)
{
    static char error[TEXT_MAX], file[TEXT_MAX];
    struct streams streams;

    begin(&streams, false, true);
    write_some_lines();
    end(&streams, error, file);
    take_times_away(file);
    assert_string_equal(error, "dinoft: 3 images of a?b?\ndinoft: warning: take care\n"
                               "dinoft: error: it is over\n");
    assert_string_equal(file, "3 images of a?b?\nwarning: take care\nerror: it is over\nbegins\n");
}

static void quiet_keeps_warnings_and_errors(void **state)
{
    static char error[TEXT_MAX], file[TEXT_MAX];
    struct streams streams;

    begin(&streams, true, false);
    write_some_lines();
    end(&streams, error, file);
    assert_string_equal(error, "dinoft: warning: take care\ndinoft: error: it is over\n");
    assert_string_equal(file, "");
    begin(&streams, true, true);
    write_some_lines();
    end(&streams, error, file);
    take_times_away(file);
    assert_string_equal(file, "3 images of a?b?\nwarning: take care\nerror: it is over\nbegins\n");
}

static void progress_goes_into_the_file_as_lines(void **state)
{
    static char error[TEXT_MAX], file[TEXT_MAX];
    struct streams streams;

    for (int quiet = 0; quiet < 2; quiet++) {
        begin(&streams, quiet, true);
        struct df_progress *progress = df_progress_open(stderr, "features", 2);
        df_progress_update(progress, 1, 0, NAN);
        df_progress_update(progress, 2, 0, NAN);
        df_progress_close(progress);
        end(&streams, error, file);
        take_times_away(file);
        assert_string_equal(file, "features 1/2  eta 0:00\nfeatures 2/2  time 0:00\n");
        assert_string_equal(error, quiet ? "" : file);
    }
}

static void a_file_that_takes_nothing_is_told_of_once(void **state)
{
    static char error[TEXT_MAX], file[TEXT_MAX];
    struct streams streams;
    FILE *full = fopen("/dev/full", "w");

    if (!full)
        skip();
    begin(&streams, true, false);
    df_log_settings(true, fileno(full));
    write_some_lines();
    write_some_lines();
    end(&streams, error, file);
    fclose(full);
    const char *found =
        strstr(error, "dinoft: warning: the log file lacks lines from here on: No space left");
    assert_non_null(found);
    assert_null(strstr(found + strlen("dinoft: warning: the log file lacks"), "lacks"));
}

static void *write_many(void *context)
{
    const int thread = *(const int *)context;

    for (int i = 0; i < 100; i++)
        df_log("thread %d writes line %d", thread, i);
    return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
    static char error[TEXT_MAX], file[TEXT_MAX];
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int numbers[THREADS], lines = 0;
    struct streams streams;

    begin(&streams, true, true);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    end(&streams, error, file);
    take_times_away(file);
    for (const char *line = file; *line; line = strchr(line, '\n') + 1, lines++) {
        int thread = -1, number = -1, length = 0;
        assert_int_equal(sscanf(line, "thread %d writes line %d%n", &thread, &number, &length), 2);
        assert_int_equal(line[length], '\n');
    }
    assert_int_equal(lines, THREADS * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_go_to_both),
        cmocka_unit_test(quiet_keeps_warnings_and_errors),
        cmocka_unit_test(progress_goes_into_the_file_as_lines),
        cmocka_unit_test(a_file_that_takes_nothing_is_told_of_once),
        cmocka_unit_test(lines_of_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
