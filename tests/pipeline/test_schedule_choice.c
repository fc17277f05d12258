/* From flags to the learning rate of each step or epoch. */
#include "config/command_line.h"
#include "support/errors.h"

#include "dinoft/schedule_choice.h"

#include <math.h>
#include <stdio.h>

#define IMAGES 100 /* 9 batches of 12 */

static struct df_schedule schedule;

static int choose(const char *const *words)
{
    struct df_config config;
    const char *argv[PARSE_MAX_WORDS];

    if (parse_words(&config, argv, words) != DF_PARSE_RUN)
        fail_msg("%s", df_error_text());
    return df_schedule_choose(&config, IMAGES, &schedule);
}

#define CHOOSE(...) choose((const char *const[]){"train", __VA_ARGS__, NULL})

static void assert_lr(int64_t at, double expected)
{
    const double found = df_schedule_lr(&schedule, at);
    if (!(fabs(found - expected) <= 1e-6 * expected))
        fail_msg("%.9g instead of %.9g at %d", found, expected, (int)at);
}

static void assert_length(int64_t length, int64_t warmup)
{
    assert_int_equal(schedule.length, length);
    assert_int_equal(schedule.warmup, warmup);
}

static void what_nobody_types(void **state)
{
    assert_works(CHOOSE("--epochs", "20") == 0);
    assert_int_equal(schedule.kind, DF_SCHEDULE_POLY);
    assert_length(180, 9);
    assert_lr(0, 2e-3 / 9);
    assert_lr(9, 2e-3);
    assert_works(CHOOSE("--epochs", "1", "--max_steps", "1") == 0);
    assert_lr(0, 2e-3);
    assert_works(CHOOSE("--recipe", "reference-2025-08") == 0);
    assert_true(schedule.by_epoch);
    assert_lr(0, 3e-4);
    assert_lr(19, 3e-4);
}

static void steps_of_the_whole_run(void **state)
{
    assert_works(CHOOSE("--schedule", "cosine", "--epochs", "10") == 0);
    assert_false(schedule.by_epoch);
    assert_length(90, 5);
    assert_works(CHOOSE("--schedule", "cosine", "--epochs", "10", "--max_steps", "50") == 0);
    assert_length(50, 3);
    assert_works(CHOOSE("--schedule", "cosine", "--epochs", "10", "--max_steps", "91") == 0);
    assert_length(90, 5);
    assert_works(CHOOSE("--schedule", "onecycle", "--batch_size", "100", "--accumulate", "4") == 0);
    assert_length(20, 0);
}

static void warm_up(void **state)
{
    assert_works(CHOOSE("--warmup_epochs", "2", "--lr", "3e-4", "--schedule", "constant") == 0);
    assert_length(180, 18);
    assert_lr(0, 3e-4 / 18);
    assert_lr(17, 3e-4);
    assert_lr(179, 3e-4);
    assert_works(CHOOSE("--warmup_steps", "7", "--schedule", "poly", "--min_lr", "1e-5") == 0);
    assert_length(180, 7);
    assert_works(CHOOSE("--warmup_steps", "5%", "--max_steps", "50") == 0);
    assert_length(50, 3);
    assert_works(CHOOSE("--warmup_steps", "0.5%") == 0);
    assert_length(180, 1);
    assert_works(CHOOSE("--warmup_steps", "0%", "--epochs", "1") == 0);
    assert_length(9, 0);
}

static void a_warm_up_that_leaves_nothing(void **state)
{
    assert_int_equal(CHOOSE("--warmup_epochs", "5", "--max_steps", "45"), -1);
    assert_error_has("--warmup_epochs 5 with --max_steps 45: no step");
    assert_int_equal(CHOOSE("--warmup_steps", "180"), -1);
    assert_error_has("--warmup_steps 180 with --epochs 20: no step");
    assert_int_equal(CHOOSE("--warmup_steps", "98%", "--max_steps", "10"), -1);
    assert_error_has("--warmup_steps 98% with --max_steps 10: no step is left after the warm-up");
    assert_works(CHOOSE("--warmup_steps", "179") == 0);
}

static void the_reference_recipe_goes_by_epochs(void **state)
{
    assert_works(CHOOSE("--recipe", "reference", "--max_steps", "10") == 0);
    assert_true(schedule.by_epoch);
    assert_int_equal(schedule.kind, DF_SCHEDULE_COSINE);
    assert_length(100, 20);
    assert_works(CHOOSE("--recipe", "reference", "--epochs", "10", "--warmup_epochs", "3") == 0);
    assert_lr(0, 1e-3);
    assert_lr(2, 3e-3);
    assert_lr(3, 3e-3);
    assert_lr(4, 2.852939e-3);
    assert_lr(9, 1.770612e-4);
}

/* Those of main.py divide by zero; all others it takes. */
static void warm_ups_of_the_reference_recipe(void **state)
{
    for (int epochs = 1; epochs < 6; epochs++) {
        for (int warmup = 0; warmup < 8; warmup++) {
            char texts[2][16];
            snprintf(texts[0], sizeof texts[0], "%d", epochs);
            snprintf(texts[1], sizeof texts[1], "%d", warmup);
            const char *const words[] = {"train",  "--recipe",        "reference", "--epochs",
                                         texts[0], "--warmup_epochs", texts[1],    NULL};
            struct df_config config;
            const char *argv[PARSE_MAX_WORDS];
            const bool taken = warmup != 0 && warmup != epochs;
            assert_int_equal(parse_words(&config, argv, words), taken ? DF_PARSE_RUN : DF_PARSE_WRONG);
            if (!taken)
                continue;
            assert_works(choose(words) == 0);
            assert_length(epochs, warmup);
            assert_lr(0, 3e-3 / warmup);
        }
    }
}

static void another_schedule_in_the_reference_recipe(void **state)
{
    assert_works(CHOOSE("--recipe", "reference", "--schedule", "poly") == 0);
    assert_true(schedule.by_epoch);
    assert_length(100, 20);
    assert_true(schedule.min_lr == 3e-5);
    assert_works(CHOOSE("--recipe", "reference", "--schedule", "constant", "--warmup_epochs", "0") == 0);
    assert_lr(0, 3e-3);
    assert_works(CHOOSE("--recipe", "reference", "--schedule", "onecycle") == 0);
    assert_length(100, 0);
    assert_lr(29, 3e-3);
    assert_works(CHOOSE("--recipe", "reference", "--lr", "1e-5", "--warmup_epochs", "1") == 0);
    assert_lr(0, 1e-5);
    assert_true(schedule.min_lr == 3e-5);
    assert_works(CHOOSE("--recipe", "reference-2025-08", "--schedule", "cosine", "--warmup_epochs", "1") ==
                 0);
    assert_length(20, 1);
    assert_true(schedule.by_epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_types),
        cmocka_unit_test(steps_of_the_whole_run),
        cmocka_unit_test(warm_up),
        cmocka_unit_test(a_warm_up_that_leaves_nothing),
        cmocka_unit_test(the_reference_recipe_goes_by_epochs),
        cmocka_unit_test(warm_ups_of_the_reference_recipe),
        cmocka_unit_test(another_schedule_in_the_reference_recipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
