/* Pixels of each label and prediction: sizes around the runs that a device has, runs of all lengths, tables
 * small and large, labels that do not count. */
#include "device.h"

#include "support/cmocka_all.h"
#include "support/confusion.h"

#include "dinoft/labels.h"

#define MOST 5003

/* Runs of equal pairs, some of one pixel, as a map of classes has them. */
static void fill(struct test_device *device, int classes, int64_t count, uint8_t *prediction, uint8_t *labels)
{
    for (int64_t i = 0; i < count; i++) {
        const bool goes_on = i > 0 && df_rng_below(&device->rng, 5) > 0;
        prediction[i] = goes_on ? prediction[i - 1] : (uint8_t)df_rng_below(&device->rng, (uint64_t)classes);
        labels[i] = goes_on ? labels[i - 1] : (uint8_t)df_rng_below(&device->rng, (uint64_t)classes + 1);
        if (labels[i] == classes)
            labels[i] = DF_IGNORE_LABEL;
    }
}

static void check_pairs(struct test_device *device)
{
    static const int class_counts[] = {1, 2, 21, 150, 255};
    static const int64_t counts[] = {0, 1, 15, 16, 17, 4096, MOST};
    static uint8_t prediction[MOST], labels[MOST];
    static int64_t expected[256 * 255];
    struct df_backend *backend = device->backend;

    for (size_t c = 0; c < sizeof class_counts / sizeof class_counts[0]; c++) {
        const int classes = class_counts[c];
        const size_t bytes = df_confusion_count(classes) * sizeof *expected;
        for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
            fill(device, classes, counts[k], prediction, labels);
            test_confusion_matrix(expected, classes, prediction, labels, counts[k]);
            void *pairs = test_room(device, bytes);
            assert_int_equal(backend->ops->confusion_matrix(
                                 backend, test_put(device, prediction, sizeof prediction),
                                 test_put(device, labels, sizeof labels), counts[k], classes, pairs),
                             0);
            assert_memory_equal(test_get(device, pairs, bytes), expected, bytes);
            test_release(device);
        }
    }
}

static void pairs_are_counted(void **state)
{
    (void)state;
    test_on_threads(check_pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
