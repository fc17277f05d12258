/* The fused upsampling loss against the full-size computation, whose gradient is itself held against finite
 * differences. Golden values: interpolate(mode="bilinear") and cross_entropy of PyTorch 2. */
#include "device.h"
#include "reference.h"

#include "support/cmocka_all.h"

#include <math.h>

struct loss_case {
    int64_t batch, h, w, classes, height, width;
    unsigned ignored; /* one label in so many; 1: all; 0: none */
};

static size_t small_count(const struct loss_case *c)
{
    return (size_t)(c->batch * c->h * c->w * c->classes);
}

static size_t pixel_count(const struct loss_case *c)
{
    return (size_t)(c->batch * c->height * c->width);
}

/* The full-size computation: everything that the fused one must say. */
struct full_loss {
    const struct loss_case *shape;
    const uint8_t *labels;
    double *large, *dlarge, *dlogits;
    double sum;
    int64_t count;
};

static struct full_loss make_full(struct test_device *device, const struct loss_case *c,
                                  const uint8_t *labels)
{
    const size_t large = pixel_count(c) * (size_t)c->classes;
    return (struct full_loss){.shape = c,
                              .labels = labels,
                              .large = test_doubles(device, large),
                              .dlarge = test_doubles(device, large),
                              .dlogits = test_doubles(device, small_count(c))};
}

static void compute_full(struct full_loss *full, const double *logits)
{
    const struct loss_case *c = full->shape;
    ref_bilinear(logits, c->batch, c->h, c->w, c->classes, full->large, c->height, c->width);
    full->sum = ref_cross_entropy(full->large, full->labels, (int64_t)pixel_count(c), c->classes,
                                  &full->count, full->dlarge);
    ref_bilinear_backward(full->dlarge, c->batch, c->h, c->w, c->classes, full->dlogits, c->height, c->width);
}

static double mean_loss(const double *logits, void *context)
{
    struct full_loss *full = context;
    compute_full(full, logits);
    return full->sum / (double)full->count;
}

static void fill_labels(struct test_device *device, const struct loss_case *c, uint8_t *labels)
{
    for (size_t i = 0; i < pixel_count(c); i++) {
        const bool ignored = c->ignored > 0 && df_rng_below(&device->rng, c->ignored) == 0;
        labels[i] = ignored ? 255 : (uint8_t)df_rng_below(&device->rng, (uint64_t)c->classes);
    }
}

static void check_prediction(const uint8_t *prediction, const double *large, size_t pixels, size_t classes)
{
    for (size_t i = 0; i < pixels; i++) {
        const double *row = large + i * classes;
        double best = row[0];
        for (size_t c = 0; c < classes; c++)
            best = fmax(best, row[c]);
        assert_true(prediction[i] < classes);
        if (row[prediction[i]] < best - 1e-5)
            fail_msg("pixel %zu: class %d has %g, the best %g", i, prediction[i], row[prediction[i]], best);
    }
}

static void check_case(struct test_device *device, struct loss_case c)
{
    struct df_backend *backend = device->backend;
    const size_t n = small_count(&c), pixels = pixel_count(&c);
    uint8_t labels[4096];
    assert_true(pixels <= sizeof(labels));
    const float *logits = test_random(device, n, 0.0, 3.0);
    fill_labels(device, &c, labels);
    struct full_loss full = make_full(device, &c, labels);
    compute_full(&full, test_widen(device, logits, n));

    struct df_upsample_loss work = {.batch = c.batch,
                                    .h = c.h,
                                    .w = c.w,
                                    .classes = c.classes,
                                    .height = c.height,
                                    .width = c.width,
                                    .logits = test_put_f32(device, logits, n),
                                    .labels = test_put(device, labels, pixels),
                                    .dlogits = test_room_f32(device, n),
                                    .prediction = test_room(device, pixels)};
    assert_int_equal(backend->ops->upsample_loss(backend, &work, test_room_f32(device, 2 * n)), 0);
    assert_int_equal(work.loss.count, full.count);
    assert_true(fabs(work.loss.sum - full.sum) <= 1e-6 * fmax(1.0, full.sum));
    test_near("dlogits", test_get_f32(device, work.dlogits, n), full.dlogits, n, 1e-6);
    check_prediction(test_get(device, work.prediction, pixels), full.large, pixels, (size_t)c.classes);

    const double first_sum = work.loss.sum; /* the same without gradient, and prediction alone */
    work.dlogits = NULL;
    assert_int_equal(backend->ops->upsample_loss(backend, &work, NULL), 0);
    assert_true(work.loss.sum == first_sum);
    work.labels = NULL;
    work.prediction = test_room(device, pixels);
    assert_int_equal(backend->ops->upsample_loss(backend, &work, NULL), 0);
    assert_true(work.loss.sum == 0.0 && work.loss.count == 0);
    check_prediction(test_get(device, work.prediction, pixels), full.large, pixels, (size_t)c.classes);
    test_release(device);
}

static const struct loss_case cases[] = {
    {1, 1, 1, 1, 1, 1, 0},   {1, 1, 1, 3, 7, 5, 3},    {2, 3, 4, 21, 17, 23, 4}, {1, 5, 3, 150, 35, 21, 5},
    {1, 2, 3, 255, 9, 9, 3}, {2, 5, 7, 17, 5, 7, 4},   {1, 9, 8, 16, 4, 3, 3},   {3, 4, 4, 65, 13, 29, 2},
    {2, 3, 3, 5, 6, 6, 1},   {1, 1, 9, 33, 3, 100, 7},
};

static void check_loss(struct test_device *device)
{
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
        check_case(device, cases[k]);
}

static void loss_matches(void **state)
{
    (void)state;
    test_on_threads(check_loss);
}

static void check_logits(struct test_device *device)
{
    struct df_backend *backend = device->backend;
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        const struct loss_case c = cases[k];
        const size_t n = small_count(&c), plane = (size_t)(c.height * c.width), classes = (size_t)c.classes;
        const size_t large = pixel_count(&c) * classes;
        const float *logits = test_random(device, n, 0.0, 3.0);
        double *rows = test_doubles(device, large), *want = test_doubles(device, large);
        float *out = test_room_f32(device, large);
        ref_bilinear(test_widen(device, logits, n), c.batch, c.h, c.w, c.classes, rows, c.height, c.width);
        for (size_t i = 0; i < large; i++) { /* NHWC to NCHW */
            const size_t class = i % classes, pixel = i / classes % plane, image = i / classes / plane;
            want[(image * classes + class) * plane + pixel] = rows[i];
        }
        assert_int_equal(backend->ops->upsample_logits(backend, test_put_f32(device, logits, n), out, c.batch,
                                                       c.h, c.w, c.classes, c.height, c.width),
                         0);
        test_near("enlarged logits", test_get_f32(device, out, large), want, large, 1e-6);
        test_release(device);
    }
}

static void logits_match(void **state)
{
    (void)state;
    test_on_threads(check_logits);
}

static void check_reference_gradient(struct test_device *device)
{
    const struct loss_case c = {2, 3, 2, 5, 7, 5, 4};
    uint8_t labels[70];
    double *logits = test_widen(device, test_random(device, small_count(&c), 0.0, 2.0), small_count(&c));
    double *numeric = test_doubles(device, small_count(&c));
    fill_labels(device, &c, labels);
    struct full_loss full = make_full(device, &c, labels);
    test_numeric_gradient(mean_loss, &full, logits, small_count(&c), numeric);
    compute_full(&full, logits);
    for (size_t i = 0; i < small_count(&c); i++)
        assert_true(fabs(numeric[i] - full.dlogits[i]) < 1e-8);
}

static void reference_gradient_is_right(void **state)
{
    (void)state;
    test_on_threads(check_reference_gradient);
}

static void check_golden(struct test_device *device)
{
    static const uint8_t labels[] = {0, 1, 2, 255, 2, 2, 1, 0, 0, 0, 1, 1, 255, 2, 2, 1, 1, 0, 0, 2};
    static const double want[] = {-0.0485437401, 0.0797998235,  -0.031256102,  0.073723346,   -0.0306725372,
                                  -0.0430508144, 0.0309633575,  -0.0327152386, 0.00175188144, 0.0124389064,
                                  -0.0139210084, 0.00148210628, -0.0142669855, 0.00928229932, 0.00498468801,
                                  0.0436435789,  -0.0645142719, 0.0208706986};
    static const uint8_t prediction[] = {1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 2, 0, 0, 2, 2};
    static const double plane0[] = {0.0,     1.5625, 2.40625,  2.25,    0.2,     1.590625, 2.33125,
                                    2.175,   1.0,    1.703125, 2.03125, 1.875,   1.8,      1.815625,
                                    1.73125, 1.575,  2.0,      1.84375, 1.65625, 1.5};
    struct df_backend *backend = device->backend;
    float logits[18];
    for (int i = 0; i < 18; i++)
        logits[i] = (float)(i * 7 % 11) / 4.0f;
    struct df_upsample_loss work = {.batch = 1,
                                    .h = 2,
                                    .w = 3,
                                    .classes = 3,
                                    .height = 5,
                                    .width = 4,
                                    .logits = test_put_f32(device, logits, 18),
                                    .labels = test_put(device, labels, 20),
                                    .dlogits = test_room_f32(device, 18),
                                    .prediction = test_room(device, 20)};
    float *large = test_room_f32(device, 60);
    assert_int_equal(backend->ops->upsample_loss(backend, &work, test_room_f32(device, 36)), 0);
    assert_int_equal(work.loss.count, 18);
    assert_true(fabs(work.loss.sum - 23.3872683) < 2e-5);
    test_near("dlogits", test_get_f32(device, work.dlogits, 18), want, 18, 1e-7);
    assert_memory_equal(test_get(device, work.prediction, 20), prediction, 20);
    assert_int_equal(backend->ops->upsample_logits(backend, work.logits, large, 1, 2, 3, 3, 5, 4), 0);
    test_near("enlarged logits", test_get_f32(device, large, 60), plane0, 20, 1e-6);
}

static void loss_matches_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_golden);
}

/* Equal logits: the lowest class. No label at all: no loss, and a gradient of zeros. A NaN shows in the loss.
 */
static void check_special(struct test_device *device)
{
    enum { CLASSES = 40, PIXELS = 6 * 6 };
    struct df_backend *backend = device->backend;
    float logits[2 * 2 * CLASSES];
    uint8_t labels[PIXELS];
    double zeros[2 * 2 * CLASSES] = {0};
    for (int i = 0; i < 2 * 2 * CLASSES; i++)
        logits[i] = i % CLASSES == 19 || i % CLASSES == 37 ? 2.5f : -1.0f;
    for (int i = 0; i < PIXELS; i++)
        labels[i] = 255;
    struct df_upsample_loss work = {.batch = 1,
                                    .h = 2,
                                    .w = 2,
                                    .classes = CLASSES,
                                    .height = 6,
                                    .width = 6,
                                    .logits = test_put_f32(device, logits, 2 * 2 * CLASSES),
                                    .labels = test_put(device, labels, PIXELS),
                                    .dlogits = test_room_f32(device, 2 * 2 * CLASSES),
                                    .prediction = test_room(device, PIXELS)};
    float *scratch = test_room_f32(device, 2 * 2 * 2 * CLASSES);
    assert_int_equal(backend->ops->upsample_loss(backend, &work, scratch), 0);
    assert_true(work.loss.sum == 0.0 && work.loss.count == 0);
    test_near("dlogits", test_get_f32(device, work.dlogits, 2 * 2 * CLASSES), zeros, 2 * 2 * CLASSES, 0.0);
    const uint8_t *prediction = test_get(device, work.prediction, PIXELS);
    for (int i = 0; i < PIXELS; i++)
        assert_int_equal(prediction[i], 19);

    logits[0] = NAN;
    labels[0] = 3;
    work.logits = test_put_f32(device, logits, 2 * 2 * CLASSES);
    work.labels = test_put(device, labels, PIXELS);
    assert_int_equal(backend->ops->upsample_loss(backend, &work, scratch), 0);
    assert_true(isnan(work.loss.sum) && work.loss.count == 1);
}

static void special_values_are_handled(void **state)
{
    (void)state;
    test_on_threads(check_special);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_gradient_is_right),
        cmocka_unit_test(loss_matches),
        cmocka_unit_test(logits_match),
        cmocka_unit_test(loss_matches_pytorch),
        cmocka_unit_test(special_values_are_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
