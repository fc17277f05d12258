/* Progress into a file, and onto a pseudo-terminal. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include "support/cmocka_all.h"

#include "dinoft/progress.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_MAX 16384

static int count(const char *text, char c)
{
    int n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static void run(FILE *stream, int64_t total, int64_t steps, int64_t images_a_step, double loss)
{
    struct df_progress *progress = df_progress_open(stream, "epoch 1/20", total);
    assert_non_null(progress);
    for (int64_t i = 1; i <= steps; i++)
        df_progress_update(progress, i, i * images_a_step, loss);
    df_progress_close(progress);
}

/* The whole stream, which is closed. */
static void read_all(char text[TEXT_MAX], FILE *stream)
{
    rewind(stream);
    const size_t length = fread(text, 1, TEXT_MAX - 1, stream);
    text[length] = '\0';
    fclose(stream);
}

static void run_into_file(char text[TEXT_MAX], int64_t total, int64_t steps, int64_t images_a_step,
                          double loss)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    run(stream, total, steps, images_a_step, loss);
    read_all(text, stream);
}

static void plain_lines_where_there_is_no_terminal(void **state)
{
    char text[TEXT_MAX];
    run_into_file(text, 45, 45, 12, 1.2345);
    assert_null(strchr(text, '\r'));
    assert_null(strchr(text, '\x1b'));
    assert_true(strncmp(text, "epoch 1/20 1/45  loss 1.23", 26) == 0);
    assert_non_null(strstr(text, "\nepoch 1/20 45/45  loss 1.23"));
    assert_non_null(strstr(text, "img/s"));
    assert_true(count(text, '\n') >= 10 && count(text, '\n') <= 12);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void nothing_that_is_unknown_is_shown(void **state)
{
    char text[TEXT_MAX];
    run_into_file(text, 3, 3, 0, NAN);
    assert_null(strstr(text, "loss"));
    assert_null(strstr(text, "img/s"));
    assert_int_equal(count(text, '\n'), 3);
}

static void a_run_cut_short_shows_where_it_stopped(void **state)
{
    char text[TEXT_MAX];
    run_into_file(text, 1000, 7, 1, NAN);
    assert_non_null(strstr(text, "\nepoch 1/20 7/1000"));
    assert_int_equal(count(text, '\n'), 2);
}

static void finish_expecting(char text[TEXT_MAX], int64_t later)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct df_progress *progress = df_progress_open(stream, "epoch 1/20", 2);
    df_progress_expect(progress, later);
    df_progress_update(progress, 2, 2, NAN);
    df_progress_close(progress);
    read_all(text, stream);
}

static void what_comes_behind_takes_time_too(void **state)
{
    char text[TEXT_MAX];
    finish_expecting(text, 0);
    assert_non_null(strstr(text, "  time 0:00\n"));
    finish_expecting(text, 1000);
    assert_non_null(strstr(text, "  time 0:00  eta "));
    finish_expecting(text, -1);
    assert_null(strstr(text, "eta"));
    df_progress_expect(NULL, 1);
}

static void work_in_seconds_adds_to_the_time_left(void **state)
{
    char text[TEXT_MAX];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct df_progress *progress = df_progress_open(stream, "epoch 1/20", 2);
    df_progress_expect_seconds(progress, 7200);
    df_progress_update(progress, 1, 1, NAN);
    df_progress_update(progress, 2, 2, NAN);
    df_progress_close(progress);
    df_progress_expect_seconds(NULL, 1);
    read_all(text, stream);
    assert_non_null(strstr(text, "/s  eta 2:00:0"));
    assert_non_null(strstr(text, "  time 0:00  eta 2:00:00\n"));
}

/* Each loss counts 0.95 of the one after it; steps without one change nothing. */
static void the_loss_is_a_running_one(void **state)
{
    const double losses[] = {NAN, 1.0, 2.0, NAN, 4.0};
    char text[TEXT_MAX], expected[64];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct df_progress *progress = df_progress_open(stream, "epoch 1/20", 5);
    for (int i = 0; i < 5; i++)
        df_progress_update(progress, i + 1, 0, losses[i]);
    df_progress_close(progress);
    read_all(text, stream);
    assert_true(strncmp(text, "epoch 1/20 1/5  eta", 19) == 0);
    assert_non_null(strstr(text, "\nepoch 1/20 2/5  loss 1.000"));
    snprintf(expected, sizeof expected, " 3/5  loss %.4g", (0.95 + 2.0) / 1.95);
    assert_non_null(strstr(text, expected));
    snprintf(expected, sizeof expected, " 4/5  loss %.4g", (0.95 + 2.0) / 1.95);
    assert_non_null(strstr(text, expected));
    snprintf(expected, sizeof expected, " 5/5  loss %.4g", (0.95 * 0.95 + 0.95 * 2.0 + 4.0) / 2.8525);
    assert_non_null(strstr(text, expected));
}

static void fields_are_in_plain_lines(void **state)
{
    char text[TEXT_MAX];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct df_progress *progress = df_progress_open(stream, "epoch 1/20", 2);
    df_progress_field(progress, 1, "lr %.1e", 3e-4);
    df_progress_update(progress, 1, 0, 1.5);
    df_progress_field(progress, 0, "best %.1f %%", 45.3);
    df_progress_field(progress, 1, "%s", "");
    df_progress_update(progress, 2, 0, 1.5);
    df_progress_close(progress);
    df_progress_field(NULL, 0, "x");
    read_all(text, stream);
    assert_non_null(strstr(text, "1/2  loss 1.500  lr 3.0e-04  eta "));
    assert_non_null(strstr(text, "2/2  loss 1.500  best 45.3 %  time 0:00\n"));
}

static void degenerate_runs(void **state)
{
    char text[TEXT_MAX];
    run_into_file(text, 5, 0, 1, NAN);
    assert_string_equal(text, "");
    run_into_file(text, 0, 1, 1, NAN);
    assert_int_equal(count(text, '\n'), 1);
    df_progress_close(NULL);
}

/* A pseudo-terminal of `columns`; its user's side, -1 where the system has none. */
static int open_terminal(unsigned short columns, FILE **stream)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0)
        return -1;
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    *stream = NULL;
    if (grantpt(master) == 0 && unlockpt(master) == 0 && ioctl(master, TIOCSWINSZ, &size) == 0)
        *stream = fopen(ptsname(master), "w");
    if (*stream)
        return master;
    close(master);
    return -1;
}

static void run_on_terminal(char text[TEXT_MAX], unsigned short columns)
{
    FILE *stream;
    int master = open_terminal(columns, &stream);
    if (master < 0) {
        print_message("no pseudo-terminal here: skipped\n");
        skip();
    }
    run(stream, 20, 20, 2, 0.5);
    /* The system hands what was written on in pieces; the end of the line is the last of them. */
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length + 1 < TEXT_MAX && !memchr(text, '\n', length)) {
        got = read(master, text + length, TEXT_MAX - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    assert_true(length > 0);
    text[length] = '\0';
    fclose(stream);
    close(master);
}

static void a_bar_on_a_terminal(void **state)
{
    char text[TEXT_MAX];
    run_on_terminal(text, 100);
    assert_int_equal(text[0], '\r');
    assert_non_null(strstr(text, "epoch 1/20 [==>"));
    assert_non_null(strstr(text, "=] 20/20  loss 0.5000  "));
    assert_int_equal(count(text, '\n'), 1);
}

static void lines_fit_a_narrow_terminal(void **state)
{
    char text[TEXT_MAX];
    run_on_terminal(text, 24);
    assert_null(strstr(text, "==")); /* no space for a bar */
    for (const char *line = strchr(text, '\r'); line; line = strchr(line + 1, '\r'))
        assert_true(strcspn(line + 1, "\r\n\x1b") <= 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_where_there_is_no_terminal),
        cmocka_unit_test(nothing_that_is_unknown_is_shown),
        cmocka_unit_test(a_run_cut_short_shows_where_it_stopped),
        cmocka_unit_test(what_comes_behind_takes_time_too),
        cmocka_unit_test(work_in_seconds_adds_to_the_time_left),
        cmocka_unit_test(the_loss_is_a_running_one),
        cmocka_unit_test(fields_are_in_plain_lines),
        cmocka_unit_test(degenerate_runs),
        cmocka_unit_test(a_bar_on_a_terminal),
        cmocka_unit_test(lines_fit_a_narrow_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
