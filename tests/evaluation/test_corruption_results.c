/* Means over corruptions, the terminal's table, the CSV file. */
#include "support/cmocka_all.h"
#include "support/scratch.h"
#include "support/markup.h"

#include "dinoft/corruption_report.h"
#include "dinoft/corruption_results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-12))
        fail_msg("found %.15f, expected %.15f", found, expected);
}

static struct df_corruption_cell cell(double miou)
{
    return (struct df_corruption_cell){.done = true,
                                       .miou = miou,
                                       .reference_iou = miou / 2,
                                       .reference_miou = miou / 4,
                                       .pixel_accuracy = 1.0 - miou};
}

/* Two severities; noise: a (0.2, 0.4), b (0.6, 0.8); blur: c (0.1, 0.3), not common. Clean 0.8. */
static void fill(struct df_corruption_results *results)
{
    const int severities[2] = {1, 3};
    assert_int_equal(df_corruption_results_init(results, "imagenet-c", severities, 2), 0);
    assert_int_equal(df_corruption_results_add(results, "a", "noise", true), 0);
    assert_int_equal(df_corruption_results_add(results, "b", "noise", true), 0);
    assert_int_equal(df_corruption_results_add(results, "c", "blur", false), 0);
    results->clean = cell(0.8);
    for (int i = 0; i < 3; i++) {
        static const double values[3][2] = {{0.2, 0.4}, {0.6, 0.8}, {0.1, 0.3}};
        results->rows[i].cells[0] = cell(values[i][0]);
        results->rows[i].cells[2] = cell(values[i][1]);
    }
}

static double miou_of(const struct df_corruption_results *results, struct df_corruption_part choice)
{
    struct df_corruption_mean mean;
    df_corruption_mean(results, choice, &mean);
    return mean.miou;
}

static void means_by_hand(void **state)
{
    struct df_corruption_results results;
    struct df_corruption_mean mean;
    fill(&results);
    df_corruption_row_mean(&results, &results.rows[1], &mean);
    assert_int_equal(mean.corruptions, 1);
    assert_near(mean.miou, 0.7);
    assert_near(mean.reference_iou, 0.35);
    assert_near(mean.reference_miou, 0.175);
    assert_near(mean.pixel_accuracy, 0.3);
    assert_near(mean.drop, 0.1);
    assert_near(mean.relative, 0.875);
    df_corruption_mean(&results, (struct df_corruption_part){.common = true}, &mean);
    assert_int_equal(mean.corruptions, 2);
    assert_near(mean.miou, 0.5);
    df_corruption_mean(&results, (struct df_corruption_part){.common = false}, &mean);
    assert_int_equal(mean.corruptions, 3);
    assert_near(mean.miou, 0.4);
    assert_near(mean.drop, 0.4);
    assert_near(mean.relative, 0.5);
    assert_near(miou_of(&results, (struct df_corruption_part){.family = "blur"}), 0.2);
    assert_near(miou_of(&results, (struct df_corruption_part){.family = "noise", .severity = 3}), 0.6);
    assert_true(isnan(miou_of(&results, (struct df_corruption_part){.family = "snow"})));
    assert_true(isnan(miou_of(&results, (struct df_corruption_part){.severity = 2})));
    df_corruption_results_free(&results);
}

/* A cell that is missing makes every mean that it belongs to NaN, and no other. */
static void missing_cells_spoil_their_means(void **state)
{
    struct df_corruption_results results;
    struct df_corruption_mean mean;
    fill(&results);
    results.rows[0].cells[2].done = false;
    df_corruption_row_mean(&results, &results.rows[0], &mean);
    assert_true(isnan(mean.miou) && isnan(mean.reference_iou) && isnan(mean.reference_miou));
    assert_true(isnan(mean.pixel_accuracy));
    assert_true(isnan(mean.drop) && isnan(mean.relative));
    assert_true(isnan(miou_of(&results, (struct df_corruption_part){.common = true})));
    assert_true(isnan(miou_of(&results, (struct df_corruption_part){.family = "noise", .severity = 3})));
    assert_near(miou_of(&results, (struct df_corruption_part){.family = "noise", .severity = 1}), 0.4);
    assert_near(miou_of(&results, (struct df_corruption_part){.family = "blur"}), 0.2);
    df_corruption_results_free(&results);
}

static void skipped_rows_are_left_out(void **state)
{
    struct df_corruption_results results;
    struct df_corruption_mean mean;
    fill(&results);
    assert_int_equal(df_corruption_results_add(&results, "frost", "weather", true), 0);
    assert_int_equal(df_corruption_results_skip(&results, "no photographs"), 0);
    assert_int_equal(df_corruption_results_skip(&results, "still no photographs"), 0);
    df_corruption_mean(&results, (struct df_corruption_part){.common = true}, &mean);
    assert_int_equal(mean.corruptions, 2);
    assert_near(mean.miou, 0.5);
    df_corruption_row_mean(&results, &results.rows[3], &mean);
    assert_int_equal(mean.corruptions, 0);
    assert_true(isnan(mean.miou) && isnan(mean.drop));
    df_corruption_mean(&results, (struct df_corruption_part){.family = "weather"}, &mean);
    assert_int_equal(mean.corruptions, 0);
    assert_true(isnan(mean.miou));
    df_corruption_results_free(&results);
}

static void without_a_clean_score_nothing_is_relative(void **state)
{
    struct df_corruption_results results;
    struct df_corruption_mean mean;
    fill(&results);
    results.clean.done = false;
    df_corruption_row_mean(&results, &results.rows[0], &mean);
    assert_near(mean.miou, 0.3);
    assert_true(isnan(mean.drop) && isnan(mean.relative));
    results.clean = cell(0.0);
    df_corruption_row_mean(&results, &results.rows[0], &mean);
    assert_near(mean.drop, -0.3);
    assert_true(isnan(mean.relative));
    results.clean = cell(NAN); /* nothing was labelled */
    df_corruption_row_mean(&results, &results.rows[0], &mean);
    assert_true(isnan(mean.drop) && isnan(mean.relative));
    df_corruption_results_free(&results);
}

static void families_start_once(void **state)
{
    struct df_corruption_results results;
    fill(&results);
    assert_true(df_corruption_starts_family(&results, 0));
    assert_false(df_corruption_starts_family(&results, 1));
    assert_true(df_corruption_starts_family(&results, 2));
    df_corruption_results_free(&results);
}

static void assert_has_line(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("\"%s\" is not in:\n%s", line, text);
}

static void the_table_for_the_terminal(void **state)
{
    struct df_corruption_results results;
    FILE *stream = tmpfile();
    fill(&results);
    results.rows[2].cells[2].done = false;
    assert_int_equal(df_corruption_results_add(&results, "frost", "weather", true), 0);
    assert_int_equal(df_corruption_results_skip(&results, "no photographs"), 0);
    df_corruption_results_print(stream, &results, false);
    char *text = page_text(stream);
    assert_has_line(text, "mIoU % at severity            1      3    mean    drop % clean\n");
    assert_has_line(text, "clean                                    80.00\n");
    assert_has_line(text, "noise                     40.00  60.00   50.00   30.00   62.50\n");
    assert_has_line(text, "  a                       20.00  40.00   30.00   50.00   37.50\n");
    assert_has_line(text, "  c                       10.00      -       -       -       -\n");
    assert_has_line(text, "  frost                  skipped\n");
    assert_has_line(text, "mean of 2 of 15 common    40.00  60.00   50.00   30.00   62.50\n");
    assert_has_line(text, "mean of 3 of 4            30.00      -       -       -       -\n");
    assert_has_line(text, "frost was skipped: no photographs\n");
    assert_null(strstr(text, "2025"));
    free(text);
    df_corruption_results_free(&results);
}

static void the_table_with_the_reference_numbers(void **state)
{
    struct df_corruption_results results;
    FILE *stream = tmpfile();
    fill(&results);
    results.rows[2].cells[2].done = false;
    df_corruption_results_print(stream, &results, true);
    char *text = page_text(stream);
    assert_has_line(text, "mIoU % at severity            1      3    mean    drop % clean  8/2025 10/2025\n");
    assert_has_line(text, "clean                                    80.00                   40.00   20.00\n");
    assert_has_line(text, "  a                       20.00  40.00   30.00   50.00   37.50   15.00    7.50\n");
    assert_has_line(text, "  c                       10.00      -       -       -       -       -       -\n");
    assert_has_line(text, "8/2025, 10/2025: the reference project's own numbers");
    free(text);
    df_corruption_results_free(&results);
}

/* All of ImageNet-C: no line is wider than a terminal of 100 columns, whatever the names. */
static void the_table_is_narrow(void **state)
{
    const int severities[] = {1, 2, 3, 4, 5};
    struct df_corruption_results results;
    FILE *stream = tmpfile();
    assert_int_equal(df_corruption_results_init(&results, "imagenet-c", severities, 5), 0);
    results.clean = cell(1.0);
    for (int i = 0; i < 15; i++) {
        assert_int_equal(df_corruption_results_add(&results, "a_corruption_with_a_name_that_is_far_too_long",
                                                   "a family that has a name too long as well", true),
                         0);
        for (int s = 0; s < 5; s++)
            results.rows[i].cells[s] = cell(1.0);
    }
    df_corruption_results_print(stream, &results, true);
    char *text = page_text(stream);
    assert_has_line(text, "mean of the 15 common    100.00");
    size_t widest = 0;
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        widest = length > widest ? length : widest;
        line += length + 1;
    }
    assert_in_range(widest, 80, 100);
    free(text);
    df_corruption_results_free(&results);
}

static void the_file_is_csv(void **state)
{
    struct df_corruption_results results;
    fill(&results);
    results.rows[1].cells[0].done = false;
    results.rows[2].cells[0].reference_iou = NAN;
    assert_int_equal(df_corruption_results_write_csv(scratch_path("c.csv"), &results), 0);
    char *text = page_of_file(scratch_path("c.csv"));
    assert_string_equal(text,
                        "corruption,family,common,severity,miou,reference_iou,reference_miou,pixel_accuracy\n"
                        "clean,,,0,0.8,0.4,0.2,0.2\n"
                        "a,noise,1,1,0.2,0.1,0.05,0.8\n"
                        "a,noise,1,3,0.4,0.2,0.1,0.6\n"
                        "b,noise,1,1,,,,\n"
                        "b,noise,1,3,0.8,0.4,0.2,0.2\n"
                        "c,blur,0,1,0.1,,0.025,0.9\n"
                        "c,blur,0,3,0.3,0.15,0.075,0.7\n");
    free(text);
    df_corruption_results_free(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_by_hand),
        cmocka_unit_test(missing_cells_spoil_their_means),
        cmocka_unit_test(skipped_rows_are_left_out),
        cmocka_unit_test(without_a_clean_score_nothing_is_relative),
        cmocka_unit_test(families_start_once),
        cmocka_unit_test(the_table_for_the_terminal),
        cmocka_unit_test(the_table_with_the_reference_numbers),
        cmocka_unit_test(the_table_is_narrow),
        cmocka_unit_test(the_file_is_csv),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
