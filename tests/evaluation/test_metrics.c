#include "support/cmocka_all.h"
#include "support/confusion.h"

#include "dinoft/metrics.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-9))
        fail_msg("found %.12f, expected %.12f", found, expected);
}

static void add_image(struct df_metrics *metrics, const uint8_t *prediction, const uint8_t *label,
                      int64_t count)
{
    int64_t confusion[10 * 9];

    assert_in_range(metrics->n_classes, 1, 9);
    test_confusion_matrix(confusion, metrics->n_classes, prediction, label, count);
    df_metrics_add_image(metrics, confusion, confusion);
}

/* Six pixels, classes 0 1 1 2 and one ignored; class 3 never occurs. */
static void a_small_map_by_hand(void **state)
{
    const uint8_t label[6] = {0, 1, 1, 2, 255, 0};
    const uint8_t prediction[6] = {0, 1, 2, 2, 3, 1};
    struct df_metrics metrics;
    struct df_scores scores;
    struct df_class_scores one;

    assert_int_equal(df_metrics_init(&metrics, 4, false), 0);
    add_image(&metrics, prediction, label, 6);
    df_metrics_end_batch(&metrics, 0.5);
    df_metrics_end_batch(&metrics, NAN);
    df_metrics_scores(&metrics, &scores);
    assert_int_equal(metrics.confusion[0 * 4 + 1], 1);
    assert_int_equal(metrics.confusion[1 * 4 + 2], 1);
    assert_near(scores.miou, (1.0 / 2 + 1.0 / 3 + 1.0 / 2) / 3);
    assert_near(scores.pixel_accuracy, 3.0 / 5);
    assert_near(scores.mean_accuracy, (0.5 + 0.5 + 1.0) / 3);
    assert_near(scores.dice, (2.0 / 3 + 2.0 / 4 + 2.0 / 3) / 3);
    assert_near(scores.loss, 0.5);
    df_metrics_class(&metrics, 3, &one);
    assert_true(isnan(one.iou) && isnan(one.accuracy) && isnan(one.dice));
    assert_int_equal(one.pixels, 0);
    /* & : 0 1 0 2 _ 0 = 3; | : 0 1 3 2 _ 1 = 7 */
    assert_near(scores.reference_iou, (3.0 + 1e-6) / (7.0 + 1e-6));
    df_metrics_free(&metrics);
}

static void a_class_that_is_only_predicted_counts_against_the_mean(void **state)
{
    const uint8_t label[4] = {0, 0, 0, 0}, prediction[4] = {0, 0, 0, 1};
    struct df_metrics metrics;
    struct df_scores scores;
    df_metrics_init(&metrics, 2, false);
    add_image(&metrics, prediction, label, 4);
    df_metrics_scores(&metrics, &scores);
    assert_near(scores.miou, (0.75 + 0.0) / 2);
    assert_near(scores.mean_accuracy, 0.75);
    df_metrics_free(&metrics);
}

static void the_reference_metric_of_voc_sees_void_as_background(void **state)
{
    const uint8_t label[2] = {255, 4}, prediction[2] = {8, 4};
    struct df_metrics ignored, background;
    struct df_scores scores;
    df_metrics_init(&ignored, 9, false);
    df_metrics_init(&background, 9, true);
    add_image(&ignored, prediction, label, 2);
    add_image(&background, prediction, label, 2);
    df_metrics_end_batch(&ignored, 0);
    df_metrics_end_batch(&background, 0);
    df_metrics_scores(&ignored, &scores);
    assert_near(scores.reference_iou, 1.0);
    df_metrics_scores(&background, &scores);
    assert_near(scores.reference_iou, (4.0 + 1e-6) / (12.0 + 1e-6));
    assert_int_equal(background.confusion[0 * 9 + 8], 0);
    df_metrics_free(&ignored);
    df_metrics_free(&background);
}

/* Averaged over a batch's images, then over batches: batches of different sizes weigh the same. */
static void the_reference_metric_averages_batches(void **state)
{
    const uint8_t one[1] = {1}, two[1] = {2};
    struct df_metrics metrics;
    struct df_scores scores;
    df_metrics_init(&metrics, 3, false);
    add_image(&metrics, one, one, 1);
    add_image(&metrics, one, two, 1);
    df_metrics_end_batch(&metrics, 0);
    add_image(&metrics, one, one, 1);
    df_metrics_end_batch(&metrics, 0);
    df_metrics_scores(&metrics, &scores);
    assert_true(fabs(scores.reference_iou - 0.75) < 1e-6);
    df_metrics_free(&metrics);
}

/* One batch. */
static double reference_miou(int n_classes, bool void_is_background, const uint8_t *prediction,
                             const uint8_t *label, int64_t count)
{
    struct df_metrics metrics;
    struct df_scores scores;

    assert_int_equal(df_metrics_init(&metrics, n_classes, void_is_background), 0);
    add_image(&metrics, prediction, label, count);
    df_metrics_end_batch(&metrics, 0);
    df_metrics_scores(&metrics, &scores);
    df_metrics_free(&metrics);
    return scores.reference_miou;
}

static double iou(double both, double either)
{
    return (both + 1e-6) / (either + 1e-6);
}

/* Classes behind the largest label are looked at only where a pixel of the batch has 255. Class 1 has no
 * pixel. */
static void the_fixed_metric_looks_at_classes_up_to_the_largest_label(void **state)
{
    const uint8_t label[5] = {0, 0, 2, 2, 255}, prediction[5] = {0, 3, 2, 2, 4};

    assert_near(reference_miou(5, false, prediction, label, 4), (iou(1, 2) + iou(2, 2)) / 2);
    assert_near(reference_miou(5, false, prediction, label, 5), (iou(1, 2) + iou(2, 2) + iou(0, 1)) / 3);
    assert_near(reference_miou(5, true, prediction, label, 5), (iou(1, 3) + iou(2, 2)) / 2);
    assert_true(isnan(reference_miou(5, false, prediction + 4, label + 4, 1)));
    assert_near(reference_miou(5, true, prediction + 4, label + 4, 1), iou(0, 1));
}

/* Of all pixels of a batch, then over batches, of which one that is wholly 255 is none. */
static void the_fixed_metric_averages_batches(void **state)
{
    const uint8_t zeros[3] = {0, 0, 0}, ones[3] = {1, 1, 1}, ignored[3] = {255, 255, 255};
    struct df_metrics metrics;
    struct df_scores scores;

    df_metrics_init(&metrics, 2, false);
    add_image(&metrics, zeros, zeros, 3);
    add_image(&metrics, zeros, ones, 1);
    df_metrics_end_batch(&metrics, 0);
    add_image(&metrics, zeros, ignored, 3);
    df_metrics_end_batch(&metrics, NAN);
    add_image(&metrics, ones, ones, 1);
    df_metrics_end_batch(&metrics, 0);
    df_metrics_scores(&metrics, &scores);
    assert_near(scores.reference_miou, ((iou(3, 4) + iou(0, 1)) / 2 + iou(1, 1)) / 2);
    df_metrics_free(&metrics);
}

/* The first number looks at the arg max of logits, the second at that of their sigmoids. */
static void each_metric_has_its_own_prediction(void **state)
{
    const uint8_t label[2] = {1, 1}, of_logits[2] = {1, 1}, of_sigmoids[2] = {0, 1};
    int64_t first[3 * 2], second[3 * 2];
    struct df_metrics metrics;
    struct df_scores scores;

    df_metrics_init(&metrics, 2, false);
    df_metrics_add_image(&metrics, test_confusion_matrix(first, 2, of_logits, label, 2),
                         test_confusion_matrix(second, 2, of_sigmoids, label, 2));
    df_metrics_end_batch(&metrics, 0);
    df_metrics_scores(&metrics, &scores);
    assert_near(scores.miou, 1.0);
    assert_near(scores.reference_iou, 1.0);
    assert_near(scores.reference_miou, (iou(0, 1) + iou(1, 2)) / 2);
    df_metrics_free(&metrics);
}

static void nothing_counted_is_nan_and_null(void **state)
{
    const uint8_t label[3] = {255, 255, 255}, prediction[3] = {0, 1, 0};
    char *names[2] = {"a", "b"};
    char text[4096];
    struct df_metrics metrics;
    struct df_scores scores;

    df_metrics_init(&metrics, 2, false);
    add_image(&metrics, prediction, label, 3);
    df_metrics_end_batch(&metrics, NAN);
    df_metrics_scores(&metrics, &scores);
    assert_true(isnan(scores.miou) && isnan(scores.pixel_accuracy) && isnan(scores.loss));
    const struct df_metrics_setting setting = {.names = names, .batch_size = 12};
    assert_int_equal(df_metrics_write_json("metrics_test.json", &metrics, &setting), 0);
    FILE *file = fopen("metrics_test.json", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    remove("metrics_test.json");
    cJSON *tree = cJSON_Parse(text);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(tree, "miou")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(tree, "loss")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(tree, "reference_miou")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "per_class")), 2);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "confusion")), 2);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(
                            cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "per_class"), 1), "name")),
                        "b");
    cJSON_Delete(tree);
    df_metrics_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_map_by_hand),
        cmocka_unit_test(a_class_that_is_only_predicted_counts_against_the_mean),
        cmocka_unit_test(the_reference_metric_of_voc_sees_void_as_background),
        cmocka_unit_test(the_reference_metric_averages_batches),
        cmocka_unit_test(the_fixed_metric_looks_at_classes_up_to_the_largest_label),
        cmocka_unit_test(the_fixed_metric_averages_batches),
        cmocka_unit_test(each_metric_has_its_own_prediction),
        cmocka_unit_test(nothing_counted_is_nan_and_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
