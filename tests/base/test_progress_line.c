/* The text of a line of progress, in terminals of many widths. */
#include "support/cmocka_all.h"

#include "src/base/progress_line.h"

#include <math.h>
#include <string.h>

static const struct progress_numbers training = {
    .label = "epoch 3/20",
    .done = 12,
    .total = 45,
    .loss = 0.45321,
    .rate = 34.49,
    .elapsed = NAN,
    .left = 3723,
    .fields = {"best 45.3 %", "lr 1.2e-04"},
};

static void expect(const struct progress_numbers *numbers, int columns, const char *expected)
{
    char line[PROGRESS_LINE_SIZE];

    progress_bar_line(line, numbers, columns);
    assert_string_equal(line, expected);
    assert_true((int)strlen(line) <= columns);
}

static void everything_where_there_is_room(void **state)
{
    expect(&training, 199,
           "epoch 3/20 [==========>                             ] 12/45  loss 0.4532  best 45.3 %  "
           "lr 1.2e-04  34.5 img/s  eta 1:02:03");
}

/* One line for each width at which one thing more goes. */
static void the_bar_shrinks_first_and_whole_numbers_go_then(void **state)
{
    expect(&training, 93,
           "epoch 3/20 [==>        ] 12/45  loss 0.4532  best 45.3 %  lr 1.2e-04  34.5 img/s  eta 1:02:03");
    expect(&training, 90,
           "epoch 3/20 [==>     ] 12/45  loss 0.4532  best 45.3 %  lr 1.2e-04  34.5 img/s  eta 1:02:03");
    expect(&training, 89,
           "epoch 3/20 [=====>             ] 12/45  loss 0.4532  best 45.3 %  34.5 img/s  eta 1:02:03");
    expect(&training, 78, "epoch 3/20 [==>     ] 12/45  loss 0.4532  best 45.3 %  34.5 img/s  eta 1:02:03");
    expect(&training, 77, "epoch 3/20 [=====>             ] 12/45  loss 0.4532  best 45.3 %  eta 1:02:03");
    expect(&training, 66, "epoch 3/20 [==>     ] 12/45  loss 0.4532  best 45.3 %  eta 1:02:03");
    expect(&training, 65, "epoch 3/20 [=====>              ] 12/45  loss 0.4532  eta 1:02:03");
    expect(&training, 53, "epoch 3/20 [==>     ] 12/45  loss 0.4532  eta 1:02:03");
    expect(&training, 52, "epoch 3/20 12/45  loss 0.4532  eta 1:02:03");
    expect(&training, 42, "epoch 3/20 12/45  loss 0.4532  eta 1:02:03");
    expect(&training, 41, "epoch 3/20 [==>      ] 12/45  eta 1:02:03");
    expect(&training, 40, "epoch 3/20 [==>     ] 12/45  eta 1:02:03");
    expect(&training, 39, "epoch 3/20 12/45  eta 1:02:03");
    expect(&training, 29, "epoch 3/20 12/45  eta 1:02:03");
    expect(&training, 28, "epoch 3/20 [==>      ] 12/45");
    expect(&training, 27, "epoch 3/20 [==>     ] 12/45");
    expect(&training, 26, "epoch 3/20 12/45");
    expect(&training, 16, "epoch 3/20 12/45");
}

static void a_terminal_narrower_than_the_count(void **state)
{
    expect(&training, 15, "epoch 3/20 12/4");
    expect(&training, 1, "e");
    expect(&training, 0, "");
}

/* Whatever the width, nothing is cut that is shown beside the count. */
static void numbers_are_whole_at_every_width(void **state)
{
    static const char *const whole[] = {"  loss 0.4532", "  best 45.3 %", "  lr 1.2e-04", "  34.5 img/s",
                                        "  eta 1:02:03"};
    char line[PROGRESS_LINE_SIZE];

    for (int columns = 16; columns < 300; columns++) {
        progress_bar_line(line, &training, columns);
        assert_true((int)strlen(line) <= columns);
        const char *rest = strstr(line, "12/45");
        assert_non_null(rest);
        rest += strlen("12/45");
        for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
            if (strncmp(rest, whole[i], strlen(whole[i])) == 0)
                rest += strlen(whole[i]);
        }
        assert_string_equal(rest, "");
    }
}

static void large_numbers_and_a_finished_part(void **state)
{
    char line[PROGRESS_LINE_SIZE];
    struct progress_numbers numbers = training;

    numbers.done = numbers.total;
    numbers.elapsed = 59.6;
    numbers.left = 1e300;
    numbers.loss = 123456.0;
    numbers.rate = 1234.4;
    memset(numbers.fields, 0, sizeof numbers.fields);
    progress_plain_line(line, &numbers);
    assert_string_equal(line, "epoch 3/20 45/45  loss 1.235e+05  1234 img/s  time 1:00  eta 277777:46:40");
    numbers.loss = 999.96;
    numbers.rate = 99.96;
    numbers.left = 7199.4;
    progress_plain_line(line, &numbers);
    assert_string_equal(line, "epoch 3/20 45/45  loss 1000  100 img/s  time 1:00  eta 1:59:59");
    numbers.left = NAN;
    numbers.rate = NAN;
    numbers.loss = NAN;
    progress_plain_line(line, &numbers);
    assert_string_equal(line, "epoch 3/20 45/45  time 1:00");
    numbers.total = numbers.done = 0;
    expect(&numbers, 80, "epoch 3/20 0/0  time 1:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_where_there_is_room),
        cmocka_unit_test(the_bar_shrinks_first_and_whole_numbers_go_then),
        cmocka_unit_test(a_terminal_narrower_than_the_count),
        cmocka_unit_test(numbers_are_whole_at_every_width),
        cmocka_unit_test(large_numbers_and_a_finished_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
