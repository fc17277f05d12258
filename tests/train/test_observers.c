/* Observers of a training run: who is told, and what becomes of one that fails. */
#include "support/cmocka_all.h"

#include "src/train/observers.h"

#include "dinoft/error.h"

#include <string.h>

struct counter {
    int steps, validations, fails_at; /* fails_at: the step that it cannot bear; 0: none */
};

static int count_step(void *context, const struct df_step_seen *step)
{
    struct counter *counter = context;

    counter->steps++;
    return step->step == counter->fails_at ? df_error_set("the disk is full") : 0;
}

static int count_validation(void *context, const struct df_validation_seen *validation)
{
    struct counter *counter = context;

    (void)validation;
    counter->validations++;
    return 0;
}

static int see_sample(void *context, const struct df_prediction *prediction)
{
    (void)context;
    (void)prediction;
    return 0;
}

static void one_that_fails_is_left_out(void **state)
{
    struct counter first = {.fails_at = 2}, second = {0};
    const struct df_training_observer items[] = {
        {.name = "first", .context = &first, .step = count_step, .validation = count_validation},
        {.name = "second", .context = &second, .step = count_step, .validation = count_validation},
    };
    struct observers observers = {.items = items, .count = 2};
    const struct df_validation_seen validation = {0};
    (void)state;

    for (int64_t i = 1; i <= 3; i++)
        observers_step(&observers, &(struct df_step_seen){.step = i});
    observers_validation(&observers, &validation);
    assert_int_equal(first.steps, 2);
    assert_int_equal(first.validations, 0);
    assert_int_equal(second.steps, 3);
    assert_int_equal(second.validations, 1);
}

/* A run that ends with an error tells of its own. */
static void its_error_takes_no_other_s_place(void **state)
{
    struct counter counter = {.fails_at = 1};
    const struct df_training_observer item = {.name = "log", .context = &counter, .step = count_step};
    struct observers observers = {.items = &item, .count = 1};
    (void)state;

    df_error_set("what the run has met");
    observers_step(&observers, &(struct df_step_seen){.step = 1});
    assert_string_equal(df_error_text(), "what the run has met");
}

/* Maps have to be fetched: only for those who look at them. */
static void samples_are_for_those_who_look(void **state)
{
    struct counter counter = {0};
    const struct df_training_observer items[] = {
        {.name = "blind", .context = &counter, .step = count_step},
        {.name = "looks", .context = &counter, .sample = see_sample},
    };
    struct observers observers = {.items = items, .count = 1};
    (void)state;

    assert_false(observers_want_samples(&observers));
    observers.count = 2;
    assert_true(observers_want_samples(&observers));
    observers.dropped = 1u << 1;
    assert_false(observers_want_samples(&observers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_fails_is_left_out),
        cmocka_unit_test(its_error_takes_no_other_s_place),
        cmocka_unit_test(samples_are_for_those_who_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
