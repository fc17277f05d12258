/* Boundary IoU, calibration and the bootstrap against OpenCV and NumPy (tests/fixtures/paper_scores/make.py).
 */
#include "support/cmocka_all.h"
#include "support/confusion.h"
#include "support/golden.h"

#include "dinoft/comparison.h"
#include "dinoft/confusions.h"
#include "dinoft/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES    4
#define CLASSES   6
#define RESAMPLES 200
#define SEED      7

static void assert_near(double found, double expected)
{
    if (isnan(expected) ? !isnan(found) : !(fabs(found - expected) < 1e-6))
        fail_msg("found %.9f, expected %.9f", found, expected);
}

static const struct df_tensor *tensor_of(const struct df_state *state, int image, const char *key)
{
    char name[32];

    snprintf(name, sizeof name, "%d.%s", image, key);
    return golden_tensor(state, name);
}

/* The fixture's images as an evaluation counts them; the CPU's memory is the host's. */
static void count_images(const struct df_state *state, struct df_metrics *metrics,
                         struct df_bootstrap *bootstrap)
{
    struct df_backend *backend = df_cpu_backend_open(DF_F32, 2);
    struct df_comparison *comparison = calloc(1, df_comparison_bytes(CLASSES));

    assert_non_null(backend);
    assert_non_null(comparison);
    for (int i = 0; i < IMAGES; i++) {
        const struct df_tensor *labels = tensor_of(state, i, "labels");
        const uint8_t *prediction = tensor_of(state, i, "prediction")->data;
        const float *confidence = tensor_of(state, i, "confidence")->data;
        test_confusion_matrix(comparison->confusion, CLASSES, prediction, labels->data,
                              labels->shape[0] * labels->shape[1]);
        assert_int_equal(df_comparison_add_details(backend, confidence, prediction, labels->data,
                                                   labels->shape[0], labels->shape[1], CLASSES, comparison),
                         0);
        df_metrics_add_image(metrics, comparison->confusion, comparison->confusion);
        df_metrics_add_details(metrics, comparison->calibration,
                               df_comparison_boundaries(comparison, CLASSES));
        assert_int_equal(df_bootstrap_add(bootstrap, comparison->confusion), 0);
    }
    free(comparison);
    df_backend_close(backend);
}

static void as_opencv_and_numpy_have_them(void **state)
{
    struct df_state *golden = fixture_read("paper_scores/scores.safetensors");
    struct df_bootstrap bootstrap = {.n_classes = CLASSES};
    struct df_metrics metrics;
    struct df_scores scores;
    struct df_interval interval;

    (void)state;
    assert_int_equal(df_metrics_init(&metrics, CLASSES, false), 0);
    count_images(golden, &metrics, &bootstrap);
    df_metrics_scores(&metrics, &scores);
    for (int c = 0; c < CLASSES; c++) {
        struct df_class_scores one;
        df_metrics_class(&metrics, c, &one);
        assert_near(one.boundary_iou, (double)golden_floats(golden, "boundary_iou")[c]);
    }
    assert_near(scores.boundary_iou, (double)*golden_floats(golden, "boundary_miou"));
    for (int i = 0; i < DF_CALIBRATION_BINS; i++) {
        const float *bin = golden_floats(golden, "calibration") + 3 * i;
        assert_int_equal(metrics.calibration[i].pixels, (int64_t)bin[0]);
        assert_near(df_calibration_accuracy(&metrics.calibration[i]), (double)bin[1]);
        assert_near(df_calibration_confidence(&metrics.calibration[i]), (double)bin[2]);
    }
    assert_near(scores.calibration_error, (double)*golden_floats(golden, "calibration_error"));
    assert_int_equal(df_bootstrap_interval(&bootstrap, RESAMPLES, SEED, &interval), 0);
    assert_near(interval.low, (double)golden_floats(golden, "interval")[0]);
    assert_near(interval.high, (double)golden_floats(golden, "interval")[1]);
    assert_int_equal(interval.images, IMAGES);
    df_bootstrap_free(&bootstrap);
    df_metrics_free(&metrics);
    df_state_free(golden);
}

/* One image says nothing of others; images of which nothing counts are none. */
static void what_has_no_interval(void **state)
{
    int64_t confusion[3 * 2] = {5, 1, 2, 3};
    struct df_bootstrap bootstrap = {.n_classes = 2};
    struct df_interval interval;

    (void)state;
    assert_int_equal(df_bootstrap_add(&bootstrap, confusion), 0);
    assert_int_equal(df_bootstrap_interval(&bootstrap, RESAMPLES, SEED, &interval), 0);
    assert_true(isnan(interval.low) && isnan(interval.high));
    memset(confusion, 0, sizeof confusion);
    df_bootstrap_free(&bootstrap);
    for (int i = 0; i < 3; i++)
        assert_int_equal(df_bootstrap_add(&bootstrap, confusion), 0);
    assert_int_equal(df_bootstrap_interval(&bootstrap, RESAMPLES, SEED, &interval), 0);
    assert_true(isnan(interval.low) && isnan(interval.high));
    df_bootstrap_free(&bootstrap);
}

/* Many images, so that the memory grows; all alike, so that every resample is. */
static void many_images(void **state)
{
    const int64_t confusion[3 * 2] = {6, 2, 0, 4};
    struct df_bootstrap bootstrap = {.n_classes = 2};
    struct df_interval interval;

    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(df_bootstrap_add(&bootstrap, confusion), 0);
    assert_int_equal(df_bootstrap_interval(&bootstrap, 20, SEED, &interval), 0);
    assert_near(interval.low, (6.0 / 8 + 4.0 / 6) / 2);
    assert_near(interval.high, interval.low);
    df_bootstrap_free(&bootstrap);
}

static void confusions_by_their_pixels(void **state)
{
    const int64_t confusion[4 * 3] = {5, 3, 2, 7, 9, 3, 0, 0, 0, 8, 8, 8};
    struct df_confusion ranked[DF_CONFUSIONS_MOST];
    struct df_metrics metrics;

    (void)state;
    assert_int_equal(df_metrics_init(&metrics, 3, false), 0);
    assert_int_equal(df_confusions_rank(&metrics, 5, ranked), 0);
    df_metrics_add_image(&metrics, confusion, confusion);
    for (int most = 4; most <= 5; most++) {
        assert_int_equal(df_confusions_rank(&metrics, most, ranked), 4);
        assert_true(ranked[0].label == 1 && ranked[0].prediction == 0 && ranked[0].pixels == 7);
        assert_near(ranked[0].share, 7.0 / 19);
        assert_true(ranked[1].label == 0 && ranked[1].prediction == 1);
        assert_true(ranked[2].label == 1 && ranked[2].prediction == 2);
        assert_true(ranked[3].label == 0 && ranked[3].prediction == 2 && ranked[3].pixels == 2);
    }
    assert_int_equal(df_confusions_rank(&metrics, 2, ranked), 2);
    assert_true(ranked[0].pixels == 7 && ranked[1].label == 0 && ranked[1].prediction == 1);
    assert_int_equal(df_confusions_rank(&metrics, 1, ranked), 1);
    assert_int_equal(ranked[0].pixels, 7);
    df_metrics_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_opencv_and_numpy_have_them),
        cmocka_unit_test(what_has_no_interval),
        cmocka_unit_test(many_images),
        cmocka_unit_test(confusions_by_their_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
