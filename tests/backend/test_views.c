/* Averages over windows and views against plain arithmetic. */
#include "support/cmocka_all.h"

#include "backend/device.h"
#include "backend/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct view_case {
    int64_t h, w, classes, height, width;
};

static const struct view_case cases[] = {
    {1, 1, 1, 1, 1},    {3, 4, 21, 17, 23}, {5, 3, 150, 35, 21},
    {2, 3, 255, 9, 10}, {7, 7, 16, 7, 7},   {9, 8, 17, 4, 3},
};

#define CASES (sizeof(cases) / sizeof(*cases))

static size_t large_count(const struct view_case *c)
{
    return (size_t)(c->height * c->width * c->classes);
}

/* The enlarged logits in double. */
static double *enlarge(struct test_device *device, const struct view_case *c, const float *logits)
{
    double *large = test_doubles(device, large_count(c));
    ref_bilinear(test_widen(device, logits, (size_t)(c->h * c->w * c->classes)), 1, c->h, c->w, c->classes,
                 large, c->height, c->width);
    return large;
}

/* A window in the middle of a larger canvas that holds something already. */
static void check_windows(struct test_device *device)
{
    struct df_backend *backend = device->backend;
    for (size_t k = 0; k < CASES; k++) {
        const struct view_case c = cases[k];
        const int64_t top = 2, left = 3, canvas_height = c.height + 4, canvas_width = c.width + 5;
        const size_t small = (size_t)(c.h * c.w * c.classes),
                     all = (size_t)(canvas_height * canvas_width * c.classes);
        const float *logits = test_random(device, small, 0.0, 3.0),
                    *before = test_random(device, all, 0.0, 1.0);
        const float *rows = test_random(device, (size_t)c.height, 0.5, 0.1);
        const float *columns = test_random(device, (size_t)c.width, 0.5, 0.1);
        const double *large = enlarge(device, &c, logits);
        double *want = test_widen(device, before, all);
        for (int64_t y = 0; y < c.height; y++)
            for (int64_t x = 0; x < c.width; x++)
                for (int64_t i = 0; i < c.classes; i++)
                    want[((top + y) * canvas_width + left + x) * c.classes + i] +=
                        (double)rows[y] * (double)columns[x] * large[(y * c.width + x) * c.classes + i];
        const struct df_window window = {.h = c.h,
                                         .w = c.w,
                                         .classes = c.classes,
                                         .top = top,
                                         .left = left,
                                         .height = c.height,
                                         .width = c.width,
                                         .canvas_width = canvas_width,
                                         .row_weight = rows,
                                         .column_weight = columns};
        float *canvas = test_put_f32(device, before, all);
        assert_int_equal(
            backend->ops->add_window(backend, &window, test_put_f32(device, logits, small), canvas), 0);
        test_near("canvas", test_get_f32(device, canvas, all), want, all, 2e-6);
        test_release(device);
    }
}

static void windows_match(void **state)
{
    (void)state;
    test_on_threads(check_windows);
}

/* sum += softmax of one enlarged pixel. */
static void add_softmax(const double *logits, int64_t classes, double *sum)
{
    double largest = logits[0], total = 0.0;
    for (int64_t i = 1; i < classes; i++)
        largest = fmax(largest, logits[i]);
    for (int64_t i = 0; i < classes; i++)
        total += exp(logits[i] - largest);
    for (int64_t i = 0; i < classes; i++)
        sum[i] += exp(logits[i] - largest) / total;
}

static void check_probabilities(struct test_device *device)
{
    struct df_backend *backend = device->backend;
    for (size_t k = 0; k < 2 * CASES; k++) {
        const struct view_case c = cases[k / 2];
        const bool mirrored = k % 2 == 1;
        const size_t small = (size_t)(c.h * c.w * c.classes);
        const float *logits = test_random(device, small, 0.0, 4.0);
        const float *before = test_random(device, large_count(&c), 0.5, 0.1);
        const double *large = enlarge(device, &c, logits);
        double *want = test_widen(device, before, large_count(&c));
        for (int64_t i = 0; i < c.height * c.width; i++) {
            const int64_t row = i / c.width, column = mirrored ? c.width - 1 - i % c.width : i % c.width;
            add_softmax(large + i * c.classes, c.classes, want + (row * c.width + column) * c.classes);
        }
        float *sum = test_put_f32(device, before, large_count(&c));
        assert_int_equal(backend->ops->add_probabilities(backend, test_put_f32(device, logits, small), c.h,
                                                         c.w, c.classes, mirrored, sum, c.height, c.width),
                         0);
        test_near("probabilities", test_get_f32(device, sum, large_count(&c)), want, large_count(&c), 4e-6);
        test_release(device);
    }
}

static void probabilities_match(void **state)
{
    (void)state;
    test_on_threads(check_probabilities);
}

static void check_decisions(struct test_device *device)
{
    enum { PIXELS = 1000, CLASSES = 37, VIEWS = 3 };
    struct df_backend *backend = device->backend;
    float *sum = test_random(device, PIXELS * CLASSES, 1.0, 0.2);
    uint8_t labels[PIXELS], want[PIXELS];
    double loss = 0.0, loss_sum;
    int64_t counted = 0, loss_count;

    for (int i = 0; i < PIXELS; i++) {
        float *pixel = sum + i * CLASSES;
        labels[i] = i % 7 == 3 ? 255 : (uint8_t)(i % CLASSES);
        if (i % 5 == 0) /* a tie: the lowest class wins */
            pixel[11] = pixel[29] = 9.0f;
        want[i] = 0;
        for (int c = 1; c < CLASSES; c++) {
            if (pixel[c] > pixel[want[i]])
                want[i] = (uint8_t)c;
        }
        if (labels[i] != 255) {
            loss -= log((double)pixel[labels[i]] / VIEWS);
            counted++;
        }
    }
    const float *device_sum = test_put_f32(device, sum, PIXELS * CLASSES);
    uint8_t *prediction = test_room(device, PIXELS);
    assert_int_equal(backend->ops->argmax(backend, device_sum, PIXELS, CLASSES, VIEWS,
                                          test_put(device, labels, PIXELS), prediction, &loss_sum,
                                          &loss_count),
                     0);
    assert_memory_equal(test_get(device, prediction, PIXELS), want, PIXELS);
    assert_true(fabs(loss_sum - loss) <= 1e-9 * loss && loss_count == counted);
    assert_int_equal(backend->ops->argmax(backend, device_sum, PIXELS, CLASSES, VIEWS, NULL, prediction,
                                          &loss_sum, &loss_count),
                     0);
    assert_memory_equal(test_get(device, prediction, PIXELS), want, PIXELS);
    assert_true(loss_sum == 0.0 && loss_count == 0);
}

static void decisions_match(void **state)
{
    (void)state;
    test_on_threads(check_decisions);
}

/* A probability that has underflowed to 0 costs much, not everything. */
static void check_impossible_label(struct test_device *device)
{
    const float sum[2] = {1.0f, 0.0f};
    const uint8_t label = 1;
    double loss_sum;
    int64_t loss_count;

    assert_int_equal(device->backend->ops->argmax(device->backend, test_put_f32(device, sum, 2), 1, 2, 1,
                                                  test_put(device, &label, 1), test_room(device, 1),
                                                  &loss_sum, &loss_count),
                     0);
    assert_true(isfinite(loss_sum) && loss_sum > 80.0);
}

static void impossible_label_has_a_finite_loss(void **state)
{
    (void)state;
    test_on_threads(check_impossible_label);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_match),
        cmocka_unit_test(probabilities_match),
        cmocka_unit_test(decisions_match),
        cmocka_unit_test(impossible_label_has_a_finite_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
