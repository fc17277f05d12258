/* Which validation of a run is the best one. */
#include "support/cmocka_all.h"

#include "src/train/best.h"

#include <math.h>

static void assert_best(const struct df_best_so_far *best, double score, int64_t epoch, int64_t since)
{
    assert_true(best->score == score);
    assert_int_equal(best->epoch, epoch);
    assert_int_equal(best->since, since);
}

static void more_is_better(void **state)
{
    struct df_best_so_far best = df_best_none();

    assert_int_equal(best.epoch, -1);
    assert_true(df_best_judge(&best, DF_BEST_MIOU, 0, 0.0));
    assert_best(&best, 0.0, 0, 0);
    assert_true(df_best_judge(&best, DF_BEST_MIOU, 5, 0.3));
    assert_false(df_best_judge(&best, DF_BEST_MIOU, 10, 0.2));
    assert_false(df_best_judge(&best, DF_BEST_MIOU, 15, 0.29));
    assert_best(&best, 0.3, 5, 2);
    assert_true(df_best_judge(&best, DF_BEST_MIOU, 20, 0.31));
    assert_best(&best, 0.31, 20, 0);
}

static void less_loss_is_better(void **state)
{
    struct df_best_so_far best = df_best_none();

    assert_true(df_best_judge(&best, DF_BEST_LOSS, 0, 2.0));
    assert_false(df_best_judge(&best, DF_BEST_LOSS, 1, 2.5));
    assert_true(df_best_judge(&best, DF_BEST_LOSS, 2, 1.5));
    assert_best(&best, 1.5, 2, 0);
}

static void of_equal_ones_the_first_stays(void **state)
{
    for (int metric = DF_BEST_MIOU; metric <= DF_BEST_REFERENCE_MIOU; metric++) {
        struct df_best_so_far best = df_best_none();
        assert_true(df_best_judge(&best, (enum df_best_metric)metric, 0, 0.5));
        assert_false(df_best_judge(&best, (enum df_best_metric)metric, 1, 0.5));
        assert_best(&best, 0.5, 0, 1);
    }
}

static void what_is_no_number_is_never_better(void **state)
{
    struct df_best_so_far best = df_best_none();

    assert_false(df_best_judge(&best, DF_BEST_LOSS, 0, NAN));
    assert_int_equal(best.epoch, -1);
    assert_int_equal(best.since, 1);
    assert_true(df_best_judge(&best, DF_BEST_LOSS, 1, 9.0));
    assert_false(df_best_judge(&best, DF_BEST_LOSS, 2, NAN));
    assert_best(&best, 9.0, 1, 1);
}

static void scores_of_the_metrics(void **state)
{
    const struct df_scores scores = {.miou = 1, .loss = 2, .pixel_accuracy = 3, .reference_miou = 4};

    assert_true(df_best_score(DF_BEST_MIOU, &scores) == 1);
    assert_true(df_best_score(DF_BEST_LOSS, &scores) == 2);
    assert_true(df_best_score(DF_BEST_PIXEL_ACCURACY, &scores) == 3);
    assert_true(df_best_score(DF_BEST_REFERENCE_MIOU, &scores) == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_is_better),
        cmocka_unit_test(less_loss_is_better),
        cmocka_unit_test(of_equal_ones_the_first_stays),
        cmocka_unit_test(what_is_no_number_is_never_better),
        cmocka_unit_test(scores_of_the_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
