/* Scores of single images against known answers, their order and their file. */
#include "support/cmocka_all.h"
#include "support/scratch.h"
#include "support/markup.h"
#include "support/confusion.h"

#include "dinoft/image_scores_csv.h"
#include "dinoft/metrics.h"
#include "dinoft/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-12))
        fail_msg("found %.15f, expected %.15f", found, expected);
}

static void add_scores(struct df_image_scores_list *list, const char *name, const uint8_t *prediction,
                       const uint8_t *label, int64_t count, double loss)
{
    static int64_t confusion[256 * 255];

    test_confusion_matrix(confusion, list->n_classes, prediction, label, count);
    assert_int_equal(df_image_scores_add(list, name, confusion, confusion, loss), 0);
}

/* One image alone in a list of its own. */
static struct df_image_scores scores_of(int n_classes, const uint8_t *prediction, const uint8_t *label,
                                        int64_t count)
{
    struct df_image_scores_list list;
    df_image_scores_init(&list, n_classes, false);
    add_scores(&list, "a", prediction, label, count, 0.25);
    const struct df_image_scores scores = list.items[0];
    df_image_scores_free(&list);
    return scores;
}

/* Classes 0, 1, 2 occur, 3 is only predicted, 4 never occurs. */
static void a_small_map_by_hand(void **state)
{
    const uint8_t label[8] = {0, 0, 0, 1, 1, 2, 255, 255};
    const uint8_t prediction[8] = {0, 0, 1, 1, 3, 2, 4, 0};
    const struct df_image_scores scores = scores_of(5, prediction, label, 8);
    assert_near(scores.miou, (2.0 / 3 + 1.0 / 3 + 1.0 + 0.0) / 4);
    assert_near(scores.pixel_accuracy, 4.0 / 6);
    assert_int_equal(scores.pixels, 6);
    assert_int_equal(scores.worst_class, 3);
    assert_near(scores.worst_iou, 0.0);
    assert_near(scores.loss, 0.25);
    /* & : 0 0 0 1 1 2 = 4; | : 0 0 1 1 3 2 = 7 */
    assert_near(scores.reference_iou, (4.0 + 1e-6) / (7.0 + 1e-6));
    assert_true(fabs(scores.reference_miou - (2.0 / 3 + 1.0 / 3 + 1.0 + 0.0) / 4) < 1e-6);
}

static void nothing_counted_is_nan(void **state)
{
    const uint8_t label[3] = {255, 255, 255}, prediction[3] = {0, 1, 0};
    const struct df_image_scores ignored = scores_of(2, prediction, label, 3);
    const struct df_image_scores empty = scores_of(2, prediction, label, 0);
    assert_true(isnan(ignored.miou) && isnan(ignored.pixel_accuracy) && isnan(ignored.worst_iou));
    assert_int_equal(ignored.worst_class, -1);
    assert_int_equal(ignored.pixels, 0);
    assert_true(isnan(empty.miou));
}

static void one_pixel(void **state)
{
    const uint8_t zero[1] = {0}, last[1] = {254};
    struct df_image_scores scores = scores_of(255, last, last, 1);
    assert_near(scores.miou, 1.0);
    assert_int_equal(scores.worst_class, 254);
    scores = scores_of(255, zero, last, 1);
    assert_near(scores.miou, 0.0);
    assert_near(scores.pixel_accuracy, 0.0);
    assert_int_equal(scores.worst_class, 0);
    assert_near(scores_of(1, zero, zero, 1).miou, 1.0);
}

/* Of two classes that are missed altogether, the larger one is the worst. */
static void the_worst_class_is_the_larger_of_equals(void **state)
{
    const uint8_t label[6] = {0, 1, 1, 2, 2, 2}, prediction[6] = {0, 0, 0, 0, 0, 0};
    assert_int_equal(scores_of(3, prediction, label, 6).worst_class, 2);
}

/* The same as a confusion matrix of the image says. */
static void it_agrees_with_the_confusion_matrix(void **state)
{
    enum { CLASSES = 7, COUNT = 500 };
    struct df_rng rng;
    df_rng_seed(&rng, 3, 0);
    for (int image = 0; image < 50; image++) {
        uint8_t label[COUNT], prediction[COUNT];
        int64_t confusion[(CLASSES + 1) * CLASSES];
        struct df_metrics metrics;
        struct df_scores whole;
        const uint64_t used = 1 + df_rng_below(&rng, CLASSES);
        for (int i = 0; i < COUNT; i++) {
            label[i] = (uint8_t)df_rng_below(&rng, used + 1);
            label[i] = label[i] == used ? 255 : label[i];
            prediction[i] = (uint8_t)df_rng_below(&rng, used);
        }
        assert_int_equal(df_metrics_init(&metrics, CLASSES, false), 0);
        test_confusion_matrix(confusion, CLASSES, prediction, label, COUNT);
        df_metrics_add_image(&metrics, confusion, confusion);
        df_metrics_end_batch(&metrics, 0.0);
        df_metrics_scores(&metrics, &whole);
        const struct df_image_scores scores = scores_of(CLASSES, prediction, label, COUNT);
        assert_near(scores.miou, whole.miou);
        assert_near(scores.pixel_accuracy, whole.pixel_accuracy);
        assert_near(scores.reference_iou, whole.reference_iou);
        assert_near(scores.reference_miou, whole.reference_miou);
        df_metrics_free(&metrics);
    }
}

static void void_is_background_for_the_reference_alone(void **state)
{
    const uint8_t label[2] = {255, 4}, prediction[2] = {8, 4};
    struct df_image_scores_list list;
    df_image_scores_init(&list, 9, true);
    add_scores(&list, "a", prediction, label, 2, NAN);
    assert_near(list.items[0].reference_iou, (4.0 + 1e-6) / (12.0 + 1e-6));
    assert_near(list.items[0].miou, 1.0);
    assert_int_equal(list.items[0].pixels, 1);
    df_image_scores_free(&list);
}

/* Images of one row: so many of ten pixels are right, class 1 against 0. */
static void add_image(struct df_image_scores_list *list, const char *name, int right)
{
    uint8_t label[10], prediction[10];
    memset(label, right < 0 ? 255 : 1, sizeof label);
    for (int i = 0; i < 10; i++)
        prediction[i] = i < right;
    add_scores(list, name, prediction, label, 10, 1.0 / 3.0);
}

static void the_worst_comes_first(void **state)
{
    static const char *const order[] = {"bad", "half a", "half b", "good", "nothing a", "nothing b"};
    struct df_image_scores_list list;
    df_image_scores_init(&list, 2, false);
    df_image_scores_sort(&list); /* empty */
    add_image(&list, "nothing b", -1);
    add_image(&list, "half b", 5);
    add_image(&list, "good", 10);
    add_image(&list, "nothing a", -1);
    add_image(&list, "half a", 5);
    add_image(&list, "bad", 1);
    df_image_scores_sort(&list);
    assert_int_equal(list.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(list.items[i].name, order[i]);
    df_image_scores_free(&list);
}

static void many_images_fit(void **state)
{
    struct df_image_scores_list list;
    df_image_scores_init(&list, 2, false);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%04d", i);
        add_image(&list, name, i % 11);
    }
    df_image_scores_sort(&list);
    assert_string_equal(list.items[0].name, "0000");
    assert_string_equal(list.items[1999].name, "1990");
    df_image_scores_free(&list);
}

static void the_file_is_csv(void **state)
{
    char *names[2] = {"back, ground", "the \"rest\""};
    struct df_image_scores_list list;
    df_image_scores_init(&list, 2, false);
    add_image(&list, "plain", 5);
    add_image(&list, "a,b \"c\"\nd", 10);
    add_image(&list, "nothing", -1);
    assert_int_equal(df_image_scores_write_csv(scratch_path("images.csv"), &list, names), 0);
    char *text = page_of_file(scratch_path("images.csv"));
    assert_string_equal(text, "image,miou,pixel_accuracy,reference_iou,reference_miou,loss,counted_pixels,"
                              "worst_class,worst_class_iou\n"
                              "plain,0.25,0.5,0.50000005,0.250000125,0.333333333,10,\"back, ground\",0\n"
                              "\"a,b \"\"c\"\"\nd\",1,1,1,1,0.333333333,10,\"the \"\"rest\"\"\",1\n"
                              "nothing,,,1,,0.333333333,0,,\n");
    free(text);
    df_image_scores_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_map_by_hand),
        cmocka_unit_test(nothing_counted_is_nan),
        cmocka_unit_test(one_pixel),
        cmocka_unit_test(the_worst_class_is_the_larger_of_equals),
        cmocka_unit_test(it_agrees_with_the_confusion_matrix),
        cmocka_unit_test(void_is_background_for_the_reference_alone),
        cmocka_unit_test(the_worst_comes_first),
        cmocka_unit_test(many_images_fit),
        cmocka_unit_test(the_file_is_csv),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
