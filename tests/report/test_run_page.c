/* Pages about training runs: curves, tables, settings; well-formed whatever the runs' files hold. */
#include "support/errors.h"
#include "support/markup.h"
#include "support/scratch.h"

#include "src/report/run/run_page.h"

#include "dinoft/run_report.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "<script>\\\"&'"
#define ESCAPED "&lt;script&gt;&quot;&amp;&#39;"

/* A run of two epochs, the second one the worse by `second` of its mIoU. */
static void write_run(const char *name, double first, double second, const char *settings)
{
    char file[128];
    char *metrics = df_text_format(
        "{\"train_loss\": [2, 1.5], \"val_loss\": [1.75, 1.25], \"val_iou\": [%g, %g], "
        "\"val_pixel_accuracy\": "
        "[0.75, 0.8], \"val_reference_miou\": [null, 0.2], \"val_epoch\": [1, 2], \"class_names\": "
        "[\"ground\", "
        "\"" HOSTILE "\", \"never\"], \"val_class_iou\": [[0.5, 0.25, null], [0.75, 0.125, null]]}",
        first, second);

    snprintf(file, sizeof file, "%s_metrics.json", name);
    scratch_write_text(file, metrics);
    free(metrics);
    snprintf(file, sizeof file, "%s_config.json", name);
    scratch_write_text(file, settings);
    snprintf(file, sizeof file, "%s_steps.csv", name);
    scratch_write_text(file, "epoch,step,loss,lr,images_per_second,gradient_norm\n1,1,2.5,0.00025,2,1\n"
                             "1,2,1.5,0.0002,2,1\n2,3,1.5,0.0001,4,1\n2,4,1.5,0,4,1\n");
}

static char *report(const char *const *names, size_t count, const char *defaults)
{
    const struct df_run_page_texts texts = {defaults, "program & version"};
    char *prefixes[8];

    for (size_t i = 0; i < count; i++)
        prefixes[i] = df_text_format("%s/%s", scratch_folder(), names[i]);
    assert_works(df_run_report_write(scratch_path("r.html"), prefixes, count, &texts) == 0);
    for (size_t i = 0; i < count; i++)
        free(prefixes[i]);
    char *page = page_of_file(scratch_path("r.html"));
    assert_well_formed(page);
    return page;
}

/* The page without the line that says when it was written. */
static void remove_date(char *page)
{
    char *date = strstr(page, "<dt>made</dt>");

    assert_non_null(date);
    memset(date, ' ', strcspn(date, "\n"));
}

#define SETTINGS(REST)                                                                                       \
    "{\"dinoft\": \"0.1.0\", \"batch_size\": 4, \"epochs\": 2, \"lr\": 0.001, " REST                         \
    "\"img_dim\": [98, 98], \"facts\": {\"command_line\": [\"dinoft\", \"train\", \"it's\"], "               \
    "\"revision\": \"abc\", \"machine\": {\"system\": \"" HOSTILE "\"}}}"

static void one_run(void **state)
{
    write_run("one", 0.5, 0.25, SETTINGS("\"exp_name\": \"" HOSTILE "\", "));
    char *page = report((const char *const[]){"one"}, 1,
                        "{\"batch_size\": 12, \"epochs\": 2, \"lr\": 0.001, \"img_dim\": [490, 490]}");

    assert_int_equal(occurrences(page, "<svg"), 3); /* loss, mIoU, learning rate */
    assert_int_equal(occurrences(page, ">best 50.00 %, epoch 1</text>"), 1);
    assert_int_equal(occurrences(page, ">least 1.2500, epoch 2</text>"), 1);
    assert_int_equal(occurrences(page, "learning rate, in units of 1e-4"), 1);
    assert_int_equal(occurrences(page, "<dt>epochs</dt><dd>2 of 2</dd>"), 1);
    assert_int_equal(occurrences(page, "<dt>best by mIoU</dt><dd>epoch 1: mIoU 50.00 %"), 1);
    assert_int_equal(occurrences(page, "<dt>last</dt><dd>epoch 2: mIoU 25.00 %"), 1);
    assert_int_equal(occurrences(page, "<dt>training took</dt><dd>6.0 s</dd>"), 1); /* 2 + 2 + 1 + 1 */
    assert_int_equal(occurrences(page, "<dt>revision</dt><dd>abc</dd>"), 2);
    assert_int_equal(occurrences(page, "<th scope=\"row\">ground</th><td class=\"n\">50.00</td>"
                                       "<td class=\"n\">75.00</td><td class=\"n\">+25.00</td>"),
                     1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">" ESCAPED "</th>"), 1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">never</th><td class=\"n\">\xe2\x80\x93</td>"), 1);
    assert_int_equal(occurrences(page, "<pre>dinoft train &#39;it&#39;\\&#39;&#39;s&#39;</pre>"), 1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">batch_size</th><td>4</td><td>12</td>"), 1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">img_dim</th><td>98 98</td><td>490 490</td>"), 1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">lr</th>"), 0);
    assert_int_equal(occurrences(page, "<dt>lr</dt><dd>0.001</dd>"), 1);
    assert_int_equal(occurrences(page, "<dt>system</dt><dd>" ESCAPED "</dd>"), 1);
    assert_int_equal(occurrences(page, "<script"), 0);
    free(page);
}

/* The second of two steps has two images of four. */
static void a_smaller_last_batch_takes_its_own_time(void **state)
{
    write_run("one", 0.5, 0.25, "{\"batch_size\": 4, \"facts\": {\"training_images\": 6}}");
    char *page = report((const char *const[]){"one"}, 1, "{}");

    assert_int_equal(occurrences(page, "<dt>training took</dt><dd>4.5 s</dd>"), 1); /* 2 + 1 + 1 + 0.5 */
    free(page);
}

static void the_same_run_gives_the_same_page(void **state)
{
    write_run("one", 0.5, 0.25, SETTINGS(""));
    char *first = report((const char *const[]){"one"}, 1, "{}"),
         *second = report((const char *const[]){"one"}, 1, "{}");

    remove_date(first);
    remove_date(second);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static const char *row_of(const char *page, const char *name)
{
    char *row = df_text_format("<tr><th scope=\"row\">%s</th>", name);
    const char *at = strstr(page, row);

    free(row);
    assert_non_null(at);
    return at;
}

static void several_runs_are_sorted_and_compared(void **state)
{
    write_run("middle", 0.5, 0.25, SETTINGS("\"r\": 3, \"exp_name\": \"middle\", "));
    write_run("best", 0.5, 0.75, SETTINGS("\"r\": 5, \"log_file\": \"b\", \"exp_name\": \"best\", "));
    write_run("worst", 0.125, 0.25, SETTINGS("\"exp_name\": \"worst\", "));
    char *page = report((const char *const[]){"middle", "worst", "best"}, 3, "{}");

    assert_int_equal(occurrences(page, "<svg"), 4); /* mIoU, validation loss, training loss, learning rate */
    assert_true(row_of(page, "1: best") < row_of(page, "2: middle") &&
                row_of(page, "2: middle") < row_of(page, "3: worst"));
    assert_int_equal(occurrences(page, "<th scope=\"row\">1: best</th><td class=\"n\">75.00</td><td "
                                       "class=\"n\">2</td><td class=\"n\">75.00</td>"),
                     1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">r</th><td>5</td><td>3</td><td>\xe2\x80\x93</td>"),
                     1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">exp_name</th>"), 0);
    assert_int_equal(occurrences(page, "<th scope=\"row\">log_file</th>"), 0);
    assert_int_equal(occurrences(page, "<th scope=\"row\">lr</th>"), 0);
    assert_int_equal(occurrences(page, "different numbers"), 0);
    assert_int_equal(occurrences(page, "stroke-dasharray=\"7 3\""), 8); /* the second's curves and keys */
    free(page);
}

static void runs_are_compared_by_what_they_share(void **state)
{
    write_run("a", 0.5, 0.25, SETTINGS("\"best_metric\": \"loss\", "));
    write_run("b", 0.25, 0.25, SETTINGS("\"best_metric\": \"loss\", "));
    char *page = report((const char *const[]){"a", "b"}, 2, "{}");
    assert_int_equal(occurrences(page, ">best validation loss</th>"), 1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">2: b</th><td class=\"n\">1.2500</td>"), 1);
    free(page);
    write_run("b", 0.75, 0.25, SETTINGS("\"best_metric\": \"pixel_accuracy\", "));
    page = report((const char *const[]){"a", "b"}, 2, "{}");
    assert_int_equal(occurrences(page, "different numbers"), 1);
    assert_int_equal(occurrences(page, ">best mIoU, %</th>"), 1);
    assert_true(row_of(page, "1: b") < row_of(page, "2: a"));
    assert_int_equal(occurrences(page, "aria-label=\"pixel accuracy\""), 1);
    free(page);
}

/* Runs of one name in two folders, more than a table has room for. */
static void many_runs(void **state)
{
    static const char *const names[] = {"1/a", "2/a", "3/a", "4/a", "5/a", "6/a", "7/a", "8/a"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *settings = df_text_format("{\"seed\": %zu}", i);
        write_run(names[i], 0.5, 0.25, settings);
        free(settings);
    }
    char *page = report(names, 8, "{}"), *label = df_text_format("%s/1/a", scratch_folder());
    assert_true(occurrences(page, label) > 1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">seed</th>"), 2);
    assert_int_equal(occurrences(page, "<th scope=\"row\">seed</th><td>6</td><td>7</td></tr>"), 1);
    free(label);
    free(page);
}

/* A run that has no validation, no step and no setting. */
static void little_is_known(void **state)
{
    char *prefix = df_text_format("%s/new", scratch_folder());

    scratch_write_text("new_metrics.json", "{\"train_loss\": [2], \"val_loss\": []}");
    char *page = report((const char *const[]){"new"}, 1, "{}");
    assert_int_equal(occurrences(page, "<svg"), 1);
    assert_int_equal(occurrences(page, "new_steps.csv is not there"), 1);
    assert_int_equal(occurrences(page, ">Configuration<"), 0);
    free(page);
    write_run("other", 0.5, 0.25, SETTINGS(""));
    page = report((const char *const[]){"new", "other"}, 2, "{}");
    assert_true(row_of(page, "1: other") < row_of(page, "2: new"));
    free(page);
    assert_int_equal(
        df_run_report_write("no/such/folder/r.html", &prefix, 1, &(struct df_run_page_texts){"{}", ""}), -1);
    assert_error_has("no/such/folder");
    free(prefix);
}

static void the_last_confusion_matrix_is_shown(void **state)
{
    struct df_metrics metrics;
    char *prefix = df_text_format("%s/one", scratch_folder());

    write_run("one", 0.5, 0.25, SETTINGS(""));
    struct df_run_history *history = df_run_history_read(prefix);
    assert_non_null(history);
    assert_int_equal(df_metrics_init(&metrics, 3, false), 0);
    const struct run_page run = {.history = history,
                                 .texts = {"{}", "program & version"},
                                 .metrics = &metrics,
                                 .begun = "a day",
                                 .validation_seconds = 7260.0};
    assert_works(run_page_write(scratch_path("one_report.html"), &run) == 0);
    char *page = page_of_file(scratch_path("one_report.html"));
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "data:image/png"), 1);
    assert_int_equal(occurrences(page, "<dt>begun</dt><dd>a day</dd>"), 1);
    assert_int_equal(occurrences(page, "<dt>a validation takes</dt><dd>2 h 1 min</dd>"), 1);
    free(page);
    df_metrics_free(&metrics);
    df_run_history_free(history);
    free(prefix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_run),
        cmocka_unit_test(a_smaller_last_batch_takes_its_own_time),
        cmocka_unit_test(the_same_run_gives_the_same_page),
        cmocka_unit_test(several_runs_are_sorted_and_compared),
        cmocka_unit_test(runs_are_compared_by_what_they_share),
        cmocka_unit_test(many_runs),
        cmocka_unit_test(little_is_known),
        cmocka_unit_test(the_last_confusion_matrix_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
