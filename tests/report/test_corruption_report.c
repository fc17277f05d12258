/* The page about corruptions: well-formed whatever is in it, with every number that belongs there. */
#include "support/cmocka_all.h"
#include "support/scratch.h"
#include "support/markup.h"

#include "dinoft/corruption_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "<script>\"&'\xff\x01"
#define ESCAPED "&lt;script&gt;&quot;&amp;&#39;\xef\xbf\xbd\xef\xbf\xbd"

static const int severities[] = {1, 2, 3, 4, 5};

static void add(struct df_corruption_results *results, const char *name, const char *family, bool common,
                double first)
{
    assert_int_equal(df_corruption_results_add(results, name, family, common), 0);
    struct df_corruption_row *row = &results->rows[results->n_rows - 1];
    for (int s = 0; s < DF_SEVERITIES; s++)
        row->cells[s] = (struct df_corruption_cell){true, first - 0.05 * s, 0.9, 0.85, 0.95};
}

static char *page_of(const struct df_corruption_results *results, const char *title)
{
    const struct df_fact facts[] = {{"checkpoint", HOSTILE}};
    const struct df_corruption_report report = {
        .title = title, .facts = facts, .n_facts = 1, .results = results};
    assert_int_equal(df_corruption_report_write(scratch_path("c.html"), &report), 0);
    char *page = page_of_file(scratch_path("c.html"));
    assert_well_formed(page);
    return page;
}

static void begin(struct df_corruption_results *results, const char *suite)
{
    assert_int_equal(df_corruption_results_init(results, suite, severities, 5), 0);
    results->clean = (struct df_corruption_cell){true, 0.8, 0.9, 0.85, 0.95};
}

static void numbers_are_there(void **state)
{
    struct df_corruption_results results;
    begin(&results, "imagenet-c");
    add(&results, "gaussian_noise", "noise", true, 0.6);
    add(&results, "shot_noise", "noise", true, 0.7);
    add(&results, "spatter", "extra", false, 0.3);
    char *page = page_of(&results, "a title");
    /* gaussian_noise: 60 55 50 45 40, mean 50; both common: 55; all: 43.33 */
    assert_int_equal(occurrences(page, ">50.00</td><td class=\"n\">30.00</td><td class=\"n\">62.5</td>"), 1);
    assert_int_equal(occurrences(page,
                                 "<th scope=\"row\">mean of 2 of the 15 common</th><td class=\"n\">2</td>"
                                 "<td class=\"n\">55.00</td><td class=\"n\">25.00</td>"),
                     1);
    assert_int_equal(
        occurrences(page,
                    "<th scope=\"row\">mean of all</th><td class=\"n\">3</td><td class=\"n\">43.33</td>"),
        1);
    assert_int_equal(occurrences(page, ">40.0</td>"), 1); /* severity 5 in the matrix */
    assert_int_equal(occurrences(page, "<svg "), 1 + 3);  /* bars, families, noise, extra */
    assert_int_equal(occurrences(page, "Not finished"), 0);
    assert_int_equal(occurrences(page, ESCAPED), 1);
    free(page);
    df_corruption_results_free(&results);
}

static void what_is_missing_is_said(void **state)
{
    struct df_corruption_results results;
    begin(&results, "imagenet-c");
    add(&results, "fog", "weather", true, 0.6);
    add(&results, "frost", "weather", true, 0.6);
    assert_int_equal(df_corruption_results_skip(&results, "no photographs " HOSTILE), 0);
    results.rows[0].cells[1].done = results.rows[0].cells[3].done = false;
    char *page = page_of(&results, "a title");
    assert_int_equal(occurrences(page, "Not finished: 2 of 6 measurements"), 1);
    assert_int_equal(occurrences(page, "frost was skipped: no photographs " ESCAPED), 1);
    assert_int_equal(occurrences(page, "<td colspan=\"6\" class=\"note\">no photographs " ESCAPED), 1);
    free(page);
    df_corruption_results_free(&results);
}

static void nothing_at_all_is_a_page(void **state)
{
    struct df_corruption_results results;
    begin(&results, "imagenet-c");
    free(page_of(&results, "no rows"));
    assert_int_equal(df_corruption_results_add(&results, "fog", "weather", true), 0);
    results.clean.done = false;
    char *page = page_of(&results, "no scores");
    assert_int_equal(occurrences(page, "Not finished: 6 of 6 measurements"), 1);
    free(page);
    df_corruption_results_free(&results);
}

static void hostile_names_are_text(void **state)
{
    struct df_corruption_results results;
    begin(&results, HOSTILE);
    add(&results, HOSTILE, HOSTILE, true, 0.5);
    char *page = page_of(&results, HOSTILE);
    assert_int_equal(occurrences(page, "<script"), 0);
    assert_true(occurrences(page, ESCAPED) >= 10);
    free(page);
    df_corruption_results_free(&results);
}

static void samples_are_small_pictures(void **state)
{
    static uint8_t pixels[3 * 1000 * 500];
    const struct df_image large = {.width = 1000, .height = 500, .channels = 3, .pixels = pixels};
    const struct df_image small = {.width = 40, .height = 30, .channels = 3, .pixels = pixels};
    struct df_corruption_samples samples = {.image = HOSTILE};
    struct df_corruption_results results;

    begin(&results, "imagenet-c");
    add(&results, "fog", "weather", true, 0.6);
    struct df_corruption_report report = {.title = "samples", .results = &results, .samples = &samples};
    for (int count = 0; count < 3; count++) {
        assert_int_equal(df_corruption_report_write(scratch_path("s.html"), &report), 0);
        char *page = page_of_file(scratch_path("s.html"));
        assert_well_formed(page);
        assert_int_equal(occurrences(page, "<img "), count);
        assert_int_equal(occurrences(page, "What the corruptions do"), count > 0);
        assert_int_equal(occurrences(page, "The first validation image, " ESCAPED), count > 0);
        assert_int_equal(occurrences(page, "width=\"256\" height=\"128\" alt=\"clean\""), count > 0);
        assert_int_equal(occurrences(page, "width=\"40\" height=\"30\" alt=\"fog, severity 3\""), count > 1);
        free(page);
        assert_int_equal(df_corruption_samples_add(&samples, count ? "fog" : "clean", count ? 3 : 0,
                                                   count ? &small : &large),
                         0);
    }
    df_corruption_samples_free(&samples);
    df_corruption_results_free(&results);
}

static void one_row_has_one_chart(void **state)
{
    struct df_corruption_results results;
    begin(&results, "reference");
    add(&results, "one of ten", "mixed", false, 0.5);
    char *page = page_of(&results, "reference");
    assert_int_equal(occurrences(page, "<svg "), 2);
    assert_int_equal(occurrences(page, "15 common</th>"), 0);
    free(page);
    df_corruption_results_free(&results);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    struct df_corruption_results results;
    begin(&results, "imagenet-c");
    add(&results, "fog", "weather", true, 0.6);
    char *first = page_of(&results, "a"), *second = page_of(&results, "a");
    assert_string_equal(first, second);
    free(first);
    free(second);
    df_corruption_results_free(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_there),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(nothing_at_all_is_a_page),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(samples_are_small_pictures),
        cmocka_unit_test(one_row_has_one_chart),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
