/* The fused loss against the full-size computation, at the numbers of classes that choose how lanes share
 * them, and with strips of one cell and of several. */
#include "device_arrays.h"

#include "dinoft/rng.h"

#include "backend/reference.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <math.h>
#include <string.h>

struct loss_case {
    int64_t batch, h, w, classes, height, width;
    unsigned ignored; /* one label in so many; 0: none */
};

static uint8_t *random_labels(const struct loss_case *c, int64_t pixels)
{
    uint8_t *labels = (uint8_t *)host_zeros(pixels);
    struct df_rng rng;
    df_rng_seed(&rng, 3, 0);
    for (int64_t i = 0; i < pixels; i++) {
        const bool ignored = c->ignored > 0 && df_rng_below(&rng, c->ignored) == 0;
        labels[i] = ignored ? 255 : (uint8_t)df_rng_below(&rng, (uint64_t)c->classes);
    }
    return labels;
}

static void assert_prediction(const uint8_t *prediction, const double *large, int64_t pixels, int64_t classes)
{
    for (int64_t i = 0; i < pixels; i++) {
        const double *row = large + i * classes;
        double best = row[0];
        for (int64_t c = 0; c < classes; c++)
            best = fmax(best, row[c]);
        assert_true(prediction[i] < classes && row[prediction[i]] > best - 1e-5);
    }
}

static struct df_loss_sum run(const struct df_upsample_loss *work, float *gradient_scratch)
{
    struct df_loss_sum *loss = device_room(sizeof *loss);
    void *scratch = device_room(df_launch_upsample_loss_scratch(work));
    assert_ran(df_launch_upsample_loss(NULL, work, gradient_scratch, scratch, loss));
    return *(struct df_loss_sum *)get_bytes(loss, sizeof *loss);
}

static void check(struct loss_case c)
{
    const int64_t n = c.batch * c.h * c.w * c.classes, pixels = c.batch * c.height * c.width;
    const float *logits = host_normals(n, DF_F32, 0.0, 3.0, 1);
    const uint8_t *labels = random_labels(&c, pixels);
    double *large = host_zeros(pixels * c.classes), *dlarge = host_zeros(pixels * c.classes),
           *want = host_zeros(n);
    int64_t count;

    ref_bilinear(host_doubles(logits, n), c.batch, c.h, c.w, c.classes, large, c.height, c.width);
    const double sum = ref_cross_entropy(large, labels, pixels, c.classes, &count, dlarge);
    ref_bilinear_backward(dlarge, c.batch, c.h, c.w, c.classes, want, c.height, c.width);

    struct df_upsample_loss work = {.batch = c.batch,
                                    .h = c.h,
                                    .w = c.w,
                                    .classes = c.classes,
                                    .height = c.height,
                                    .width = c.width,
                                    .logits = put_values(logits, n, DF_F32),
                                    .labels = put_bytes(labels, (size_t)pixels),
                                    .dlogits = device_room((size_t)n * sizeof(float)),
                                    .prediction = device_room((size_t)pixels)};
    const struct df_loss_sum all = run(&work, device_room((size_t)(2 * n) * sizeof(float)));
    assert_int_equal(all.count, count);
    assert_true(fabs(all.sum - sum) <= 1e-6 * fmax(1.0, sum));
    assert_values("dlogits", get_values(work.dlogits, n, DF_F32), want, n, DF_F32, 1e-6);
    assert_prediction(get_bytes(work.prediction, (size_t)pixels), large, pixels, c.classes);

    work.dlogits = NULL;
    work.prediction = NULL;
    const struct df_loss_sum alone = run(&work, NULL);
    assert_true(alone.sum == all.sum && alone.count == all.count);
    work.labels = NULL;
    work.prediction = device_room((size_t)pixels);
    const struct df_loss_sum none = run(&work, NULL);
    assert_true(none.sum == 0.0 && none.count == 0);
    assert_prediction(get_bytes(work.prediction, (size_t)pixels), large, pixels, c.classes);
    release_arrays();
}

static void classes_match(void **state)
{
    static const struct loss_case cases[] = {
        {1, 1, 1, 1, 1, 1, 0},  {2, 3, 4, 21, 17, 23, 4}, {1, 5, 3, 150, 35, 21, 5}, {1, 2, 3, 255, 9, 9, 3},
        {2, 5, 7, 16, 5, 7, 4}, {1, 9, 8, 32, 4, 3, 3},   {1, 3, 4, 64, 13, 9, 2},   {1, 2, 2, 128, 6, 6, 0},
        {2, 3, 3, 5, 6, 6, 1},  {1, 1, 9, 33, 3, 40, 7},  {1, 7, 1, 9, 40, 3, 2},    {1, 1, 1, 2, 30, 21, 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i]);
}

/* So many cells that a strip has two, and an odd number of columns. */
static void long_strips_match(void **state)
{
    (void)state;
    check((struct loss_case){1, 137, 121, 161, 40, 125, 3});
}

static void enlarged_logits_match(void **state)
{
    static const int64_t shapes[][6] = {{2, 3, 4, 21, 17, 131}, {1, 5, 3, 150, 5, 140}, {3, 2, 2, 1, 7, 1}};
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const int64_t batch = shapes[k][0], h = shapes[k][1], w = shapes[k][2], classes = shapes[k][3];
        const int64_t height = shapes[k][4], width = shapes[k][5], n = batch * h * w * classes;
        const int64_t plane = height * width, large = batch * plane * classes;
        const float *logits = host_normals(n, DF_F32, 0.0, 3.0, 1);
        double *rows = host_zeros(large), *want = host_zeros(large);
        float *out = device_room((size_t)large * sizeof(float));

        ref_bilinear(host_doubles(logits, n), batch, h, w, classes, rows, height, width);
        for (int64_t i = 0; i < large; i++) /* NHWC to NCHW */
            want[(i / classes / plane * classes + i % classes) * plane + i / classes % plane] = rows[i];
        assert_ran(df_launch_upsample_logits(NULL, put_values(logits, n, DF_F32), out, batch, h, w, classes,
                                             height, width));
        assert_values("enlarged logits", get_values(out, large, DF_F32), want, large, DF_F32, 1e-6);
        release_arrays();
    }
}

static void equal_logits_are_the_lowest_class(void **state)
{
    enum { CLASSES = 40, PIXELS = 36 };
    float logits[4 * CLASSES];
    (void)state;
    for (int i = 0; i < 4 * CLASSES; i++)
        logits[i] = i % CLASSES == 19 || i % CLASSES == 37 ? 2.5f : -1.0f;
    struct df_upsample_loss work = {.batch = 1, .h = 2, .w = 2, .classes = CLASSES, .height = 6, .width = 6};
    work.logits = put_values(logits, 4 * CLASSES, DF_F32);
    work.prediction = device_room(PIXELS);
    run(&work, NULL);
    const uint8_t *prediction = get_bytes(work.prediction, PIXELS);
    for (int i = 0; i < PIXELS; i++)
        assert_int_equal(prediction[i], 19);
    release_arrays();
}

/* A NaN and a label that is no class make the loss one; pixels that are ignored do not. */
static void what_is_wrong_shows(void **state)
{
    enum { CLASSES = 3, PIXELS = 16 };
    float logits[4 * CLASSES] = {0};
    uint8_t labels[PIXELS];
    (void)state;
    memset(labels, 255, sizeof labels);
    labels[15] = 1;
    logits[0] = NAN;
    struct df_upsample_loss work = {.batch = 1, .h = 2, .w = 2, .classes = CLASSES, .height = 4, .width = 4};
    work.logits = put_values(logits, 4 * CLASSES, DF_F32);
    work.labels = put_bytes(labels, PIXELS);
    struct df_loss_sum loss = run(&work, NULL);
    assert_true(fabs(loss.sum - log(3.0)) < 1e-6 && loss.count == 1);
    labels[0] = 2;
    work.labels = put_bytes(labels, PIXELS);
    loss = run(&work, NULL);
    assert_true(isnan(loss.sum) && loss.count == 2);
    logits[0] = 0.0f;
    labels[0] = CLASSES;
    work.logits = put_values(logits, 4 * CLASSES, DF_F32);
    work.labels = put_bytes(labels, PIXELS);
    loss = run(&work, NULL);
    assert_true(isnan(loss.sum));
    release_arrays();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_match),         cmocka_unit_test(long_strips_match),
        cmocka_unit_test(enlarged_logits_match), cmocka_unit_test(equal_logits_are_the_lowest_class),
        cmocka_unit_test(what_is_wrong_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
