/* Averages over windows and views at the numbers of classes that choose how threads and lanes share them. */
#include "device_arrays.h"

#include "backend/reference.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <math.h>

struct view_case {
    int64_t h, w, classes, height, width;
};

static const struct view_case cases[] = {
    {1, 1, 1, 1, 1},  {3, 4, 21, 17, 23}, {5, 3, 150, 15, 21}, {2, 3, 255, 9, 10}, {7, 7, 16, 7, 7},
    {9, 8, 17, 4, 3}, {2, 3, 32, 5, 70},  {3, 3, 60, 6, 9},    {2, 2, 100, 5, 11}, {1, 5, 5, 3, 33},
};

#define CASES (sizeof cases / sizeof *cases)

static double *enlarge(const struct view_case *c, const float *logits)
{
    double *large = host_zeros(c->height * c->width * c->classes);
    ref_bilinear(host_doubles(logits, c->h * c->w * c->classes), 1, c->h, c->w, c->classes, large, c->height,
                 c->width);
    return large;
}

/* A window in the middle of a larger canvas that holds something already. */
static void windows_match(void **state)
{
    (void)state;
    for (size_t k = 0; k < CASES; k++) {
        const struct view_case c = cases[k];
        const int64_t top = 2, left = 3, canvas_height = c.height + 4, canvas_width = c.width + 5;
        const int64_t small = c.h * c.w * c.classes, all = canvas_height * canvas_width * c.classes;
        const float *logits = host_normals(small, DF_F32, 0.0, 3.0, 1),
                    *before = host_normals(all, DF_F32, 0.0, 1.0, 2);
        const float *rows = host_normals(c.height, DF_F32, 0.5, 0.1, 3);
        const float *columns = host_normals(c.width, DF_F32, 0.5, 0.1, 4);
        const double *large = enlarge(&c, logits);
        double *want = host_doubles(before, all);
        float *canvas = put_values(before, all, DF_F32);
        const struct df_window window = {.h = c.h,
                                         .w = c.w,
                                         .classes = c.classes,
                                         .top = top,
                                         .left = left,
                                         .height = c.height,
                                         .width = c.width,
                                         .canvas_width = canvas_width,
                                         .row_weight = put_values(rows, c.height, DF_F32),
                                         .column_weight = put_values(columns, c.width, DF_F32)};
        for (int64_t i = 0; i < c.height * c.width * c.classes; i++) {
            const int64_t y = i / c.classes / c.width, x = i / c.classes % c.width;
            want[((top + y) * canvas_width + left + x) * c.classes + i % c.classes] +=
                (double)rows[y] * (double)columns[x] * large[i];
        }
        assert_ran(df_launch_add_window(NULL, &window, put_values(logits, small, DF_F32), canvas));
        assert_values("canvas", get_values(canvas, all, DF_F32), want, all, DF_F32, 2e-6);
        release_arrays();
    }
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

static void probabilities_match(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2 * CASES; k++) {
        const struct view_case c = cases[k / 2];
        const bool mirrored = k % 2 == 1;
        const int64_t small = c.h * c.w * c.classes, all = c.height * c.width * c.classes;
        const float *logits = host_normals(small, DF_F32, 0.0, 4.0, 1),
                    *before = host_normals(all, DF_F32, 0.5, 0.1, 2);
        const double *large = enlarge(&c, logits);
        double *want = host_doubles(before, all);
        float *sum = put_values(before, all, DF_F32);
        for (int64_t i = 0; i < c.height * c.width; i++) {
            const int64_t row = i / c.width, column = mirrored ? c.width - 1 - i % c.width : i % c.width;
            add_softmax(large + i * c.classes, c.classes, want + (row * c.width + column) * c.classes);
        }
        assert_ran(df_launch_add_probabilities(NULL, put_values(logits, small, DF_F32), c.h, c.w, c.classes,
                                               mirrored, sum, c.height, c.width));
        assert_values("probabilities", get_values(sum, all, DF_F32), want, all, DF_F32, 4e-6);
        release_arrays();
    }
}

static struct df_loss_sum decide(const float *sum, int64_t count, int64_t classes, int64_t views,
                                 const uint8_t *labels, uint8_t *prediction)
{
    struct df_loss_sum *loss = device_room(sizeof *loss);
    assert_ran(df_launch_argmax(NULL, sum, count, classes, views, labels, prediction,
                                device_room(df_launch_argmax_scratch(count)), loss));
    return *(struct df_loss_sum *)get_bytes(loss, sizeof *loss);
}

static void check_decisions(int64_t count, int64_t classes)
{
    const int64_t views = 3, tie = classes / 3, second = classes - 1;
    float *sum = host_normals(count * classes, DF_F32, 1.0, 0.2, 1);
    uint8_t *labels = (uint8_t *)host_zeros(count), *want = (uint8_t *)host_zeros(count);
    double loss = 0.0;
    int64_t counted = 0;

    for (int64_t i = 0; i < count; i++) {
        float *pixel = sum + i * classes;
        labels[i] = i % 7 == 3 ? 255 : (uint8_t)(i % classes);
        if (i % 5 == 0) /* a tie: the lowest class wins */
            pixel[tie] = pixel[second] = 9.0f;
        for (int64_t c = 1; c < classes; c++) {
            if (pixel[c] > pixel[want[i]])
                want[i] = (uint8_t)c;
        }
        if (labels[i] != 255) {
            loss -= log((double)pixel[labels[i]] / (double)views);
            counted++;
        }
    }
    const float *on_device = put_values(sum, count * classes, DF_F32);
    uint8_t *prediction = device_room((size_t)count);
    struct df_loss_sum got =
        decide(on_device, count, classes, views, put_bytes(labels, (size_t)count), prediction);
    assert_memory_equal(get_bytes(prediction, (size_t)count), want, (size_t)count);
    assert_true(fabs(got.sum - loss) <= 1e-9 * fabs(loss) && got.count == counted);
    prediction = device_room((size_t)count);
    got = decide(on_device, count, classes, views, NULL, prediction);
    assert_memory_equal(get_bytes(prediction, (size_t)count), want, (size_t)count);
    assert_true(got.sum == 0.0 && got.count == 0);
    release_arrays();
}

static void decisions_match(void **state)
{
    (void)state;
    check_decisions(1000, 37);
    check_decisions(301, 150);
    check_decisions(65, 255);
    check_decisions(700, 21);
    check_decisions(132000, 2); /* more runs than one */
}

static void impossible_label_has_a_finite_loss(void **state)
{
    const float sum[2] = {1.0f, 0.0f};
    const uint8_t label = 1;
    (void)state;
    const struct df_loss_sum loss =
        decide(put_values(sum, 2, DF_F32), 1, 2, 1, put_bytes(&label, 1), device_room(1));
    assert_true(isfinite(loss.sum) && loss.sum > 80.0 && loss.count == 1);
    release_arrays();
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
