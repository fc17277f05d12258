/* The page about an evaluation: well-formed whatever is in it, its numbers, its pictures. */
#include "support/confusion.h"
#include "support/errors.h"
#include "support/markup.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/eval_report.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "<script>\"&'\xff\x01"
#define ESCAPED "&lt;script&gt;&quot;&amp;&#39;\xef\xbf\xbd\xef\xbf\xbd"
#define SIDE    8

/* All that a report is made of. */
struct material {
    struct df_metrics metrics;
    struct df_image_scores_list images;
    struct df_best_worst best_worst;
};

static void begin(struct material *material, int n_classes)
{
    static const struct df_overlay_style style = {
        .palette = {.rgb = {{0, 0, 0}, {0x12, 0xab, 0xcd}}, .shows_image = {true, [255] = true}},
        .opacity = 0.5};
    assert_int_equal(df_metrics_init(&material->metrics, n_classes, false), 0);
    df_image_scores_init(&material->images, n_classes, false);
    df_best_worst_init(&material->best_worst, &style);
}

static void end(struct material *material)
{
    df_metrics_free(&material->metrics);
    df_image_scores_free(&material->images);
    df_best_worst_free(&material->best_worst);
}

/* An image of class `label` whose first `right` pixels are predicted so, the rest as class 0. */
static void add_image(struct material *material, const char *name, uint8_t label_class, int right)
{
    uint8_t rgb[3 * SIDE * SIDE] = {0}, label_pixels[SIDE * SIDE], prediction_pixels[SIDE * SIDE] = {0};
    static int64_t confusion[256 * 255];
    const struct df_image image = {.width = SIDE, .height = SIDE, .channels = 3, .pixels = rgb};
    const struct df_image label = {.width = SIDE, .height = SIDE, .channels = 1, .pixels = label_pixels};
    const struct df_image prediction = {
        .width = SIDE, .height = SIDE, .channels = 1, .pixels = prediction_pixels};

    memset(label_pixels, label_class, sizeof label_pixels);
    memset(prediction_pixels, label_class, (size_t)right);
    test_confusion_matrix(confusion, material->metrics.n_classes, prediction_pixels, label_pixels,
                          SIDE * SIDE);
    df_metrics_add_image(&material->metrics, confusion, confusion);
    df_metrics_end_batch(&material->metrics, 0.5);
    assert_int_equal(df_image_scores_add(&material->images, name, confusion, confusion, 0.5), 0);
    const double miou = material->images.items[material->images.count - 1].miou;
    assert_int_equal(df_best_worst_add(&material->best_worst, name, miou, &image, &label, &prediction), 0);
}

static char *page_of(const struct material *material, const char *title, char *const *names)
{
    const struct df_fact facts[] = {{"checkpoint", HOSTILE}, {"images", "2"}};
    const struct df_eval_report report = {.title = title,
                                          .facts = facts,
                                          .n_facts = 2,
                                          .metrics = &material->metrics,
                                          .names = names,
                                          .images = &material->images,
                                          .best_worst = &material->best_worst};
    assert_int_equal(df_eval_report_write(scratch_path("e.html"), &report), 0);
    char *page = page_of_file(scratch_path("e.html"));
    assert_well_formed(page);
    return page;
}

static void numbers_and_pictures_are_there(void **state)
{
    char *names[3] = {"background", "sheep", "never"};
    struct material material;
    begin(&material, 3);
    add_image(&material, "first", 1, SIDE * SIDE / 2); /* 32 of 64 right */
    add_image(&material, "second", 0, 0);              /* all background, all right */
    char *page = page_of(&material, "a title", names);
    /* sheep: 32 / 64; background: 64 / 96 */
    assert_int_equal(occurrences(page, "<td class=\"n\">58.33</td>"), 1);
    assert_int_equal(
        occurrences(page, "<th scope=\"row\">sheep</th><td class=\"n\">50.00</td><td class=\"n\">50.00</td>"
                          "<td class=\"n\">66.67</td><td class=\"n\">64</td><td class=\"n\">50.00</td>"),
        1);
    assert_int_equal(occurrences(page, "<th scope=\"row\">never</th><td class=\"n\">\xe2\x80\x93</td>"), 1);
    assert_int_equal(occurrences(page, "1 of 3 classes"), 1);
    assert_int_equal(occurrences(page, "not an mIoU"), 1);
    assert_int_equal(occurrences(page, "data:image/png"), 1);
    assert_int_equal(occurrences(page, "data:image/jpeg"), 2);
    assert_int_equal(occurrences(page, "first: mIoU 25.00"), 1);
    assert_int_equal(occurrences(page, "second: mIoU 100.00"), 1);
    assert_int_equal(occurrences(page, "Mean 62.50&nbsp;%, median 62.50&nbsp;%"), 1);
    assert_int_equal(occurrences(page, "<span style=\"background:#12abcd;color:#000\">1</span>sheep"), 1);
    assert_int_equal(occurrences(page, "</span>background"), 0); /* it has no colour */
    assert_int_equal(occurrences(page, "</span>not counted"), 0);
    assert_int_equal(occurrences(page, "</span>never"), 0); /* no picture shows it */
    free(page);
    end(&material);
}

static void what_papers_report(void **state)
{
    const struct df_calibration_bin bins[DF_CALIBRATION_BINS] = {
        [7] = {.pixels = 40, .right = 10, .confidence = (int64_t)(0.5 * 40 * DF_CONFIDENCE_UNITS)},
        [14] = {.pixels = 60, .right = 60, .confidence = (int64_t)(60 * DF_CONFIDENCE_UNITS)}};
    const int64_t boundaries[2 * 3] = {10, 6, 4, 0, 0, 0};
    const struct df_interval interval = {
        .low = 0.25, .high = 0.75, .resamples = 1000, .images = 9, .seed = 3};
    char *names[2] = {"background", "sheep"};
    struct material material;

    begin(&material, 2);
    add_image(&material, "first", 1, SIDE * SIDE / 4);
    df_metrics_add_details(&material.metrics, bins, boundaries);
    const struct df_eval_report report = {
        .title = "a title", .metrics = &material.metrics, .names = names, .interval = &interval};
    assert_int_equal(df_eval_report_write(scratch_path("e.html"), &report), 0);
    char *page = page_of_file(scratch_path("e.html"));
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "<td class=\"n\">33.33</td>"), 2); /* 4 / 12: a class', and the mean */
    assert_int_equal(occurrences(page, "<td class=\"n\">10.00</td>"), 1); /* 0.4 * |0.25 - 0.5| */
    assert_int_equal(occurrences(page, "error: 10.00&nbsp;%"), 1);
    assert_int_equal(occurrences(page, "46.7 to 53.3 %"), 1);
    assert_int_equal(occurrences(page, "to 75.00: 95 % of 1000 resamples of the 9 images, --seed 3"), 1);
    assert_int_equal(occurrences(page,
                                 "<th scope=\"row\">sheep</th><td>background</td><td class=\"n\">75.00</td>"
                                 "<td class=\"n\">48</td>"),
                     1);
    free(page);
    end(&material);
}

static void the_worst_and_the_best_are_apart(void **state)
{
    char *names[2] = {"background", "sheep"};
    struct material material;
    begin(&material, 2);
    for (int i = 0; i < 40; i++) {
        char *name = df_text_format("image_%02d", i);
        add_image(&material, name, 1, i + 1);
        free(name);
    }
    char *page = page_of(&material, "a title", names);
    const char *best = strstr(page, "Best images");
    assert_non_null(best);
    assert_int_equal(occurrences(page, "data:image/jpeg"), 24);
    assert_int_equal(occurrences(best, "data:image/jpeg"), 12);
    const char *worst = strstr(page, "<figcaption>image_00");
    assert_true(worst && worst < best && strstr(worst, "<figcaption>image_11") < best);
    assert_null(strstr(page, "<figcaption>image_12"));
    assert_true(strstr(best, "<figcaption>image_39") < strstr(best, "<figcaption>image_28"));
    free(page);
    end(&material);
}

static void hostile_names_are_text(void **state)
{
    char *names[2] = {HOSTILE, HOSTILE};
    struct material material;
    begin(&material, 2);
    add_image(&material, HOSTILE, 1, 3);
    char *page = page_of(&material, HOSTILE, names);
    assert_int_equal(occurrences(page, "<script"), 0);
    assert_true(occurrences(page, ESCAPED) >= 10);
    free(page);
    end(&material);
}

static void nothing_counted_is_a_page(void **state)
{
    char *names[2] = {"a", "b"};
    struct material material;
    begin(&material, 2);
    free(page_of(&material, "no image", names));
    add_image(&material, "ignored", 255, 0);
    char *page = page_of(&material, "no pixel", names);
    assert_int_equal(occurrences(page, "Left out because none of their pixels counts: 1."), 1);
    assert_int_equal(occurrences(page, "Mean "), 0);
    assert_int_equal(occurrences(page, "data:image/jpeg"), 0);
    free(page);
    end(&material);
}

/* Without lists of images the page ends after the classes. 150 classes are all named. */
static void many_classes_without_images(void **state)
{
    char *names[150];
    struct material material;
    begin(&material, 150);
    for (int i = 0; i < 150; i++) {
        names[i] = df_text_format("class number %d", i);
        material.metrics.confusion[i * 150 + i] = 100 + i;
        material.metrics.confusion[i * 150] += i;
    }
    const struct df_eval_report report = {.title = "150", .metrics = &material.metrics, .names = names};
    assert_int_equal(df_eval_report_write(scratch_path("e.html"), &report), 0);
    char *page = page_of_file(scratch_path("e.html"));
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "<dl>"), 0);
    assert_int_equal(occurrences(page, ">Images<"), 0);
    for (int i = 0; i < 150; i++) {
        char *row = df_text_format("<th scope=\"row\">%s</th>", names[i]),
             *bar = df_text_format(">%s</text>", names[i]);
        /* Once more where it is one of the twenty that are confused most. */
        assert_int_equal(occurrences(page, row), i >= 130 ? 2 : 1);
        assert_int_equal(occurrences(page, bar), 1);
        free(row);
        free(bar);
        free(names[i]);
    }
    free(page);
    end(&material);
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
    char *names[2] = {"a", "b"};
    struct material material;
    begin(&material, 2);
    const struct df_eval_report report = {.title = "x", .metrics = &material.metrics, .names = names};
    assert_int_equal(df_eval_report_write("no/such/folder/e.html", &report), -1);
    assert_error_has("no/such/folder/e.html");
    end(&material);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_pictures_are_there),
        cmocka_unit_test(what_papers_report),
        cmocka_unit_test(the_worst_and_the_best_are_apart),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(nothing_counted_is_a_page),
        cmocka_unit_test(many_classes_without_images),
        cmocka_unit_test(a_file_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
