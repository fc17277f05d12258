/* The fused upsampling loss: values of PyTorch 2 (interpolate(mode="bilinear") and cross_entropy), and what
 * is no number or no class. Its cases are in src/backend/cases/upsample_loss.c. */
#include "device.h"

#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include <math.h>

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
                                    .dlogits = test_buffer_f32(device, 18),
                                    .prediction = test_buffer(device, 20)};
    float *large = test_buffer_f32(device, 60);
    assert_int_equal(backend->ops->upsample_loss(backend, &work, test_buffer_f32(device, 36)), 0);
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

enum { CLASSES = 3, PIXELS = 4 * 4 };

/* The loss of logits that are 0, but for the first one, under these labels. */
static struct df_loss_sum loss_of(struct test_device *device, float first, const uint8_t labels[PIXELS])
{
    float logits[2 * 2 * CLASSES] = {first};
    struct df_upsample_loss work = {.batch = 1,
                                    .h = 2,
                                    .w = 2,
                                    .classes = CLASSES,
                                    .height = 4,
                                    .width = 4,
                                    .logits = test_put_f32(device, logits, 2 * 2 * CLASSES),
                                    .labels = test_put(device, labels, PIXELS)};

    assert_int_equal(device->backend->ops->upsample_loss(device->backend, &work, NULL), 0);
    return work.loss;
}

static void check_special(struct test_device *device)
{
    uint8_t labels[PIXELS];
    struct df_loss_sum loss;

    memset(labels, DF_IGNORE_LABEL, sizeof labels);
    labels[PIXELS - 1] = 1;
    loss = loss_of(device, NAN, labels);
    assert_true(fabs(loss.sum - log((double)CLASSES)) < 1e-6 && loss.count == 1);
    labels[0] = 2;
    loss = loss_of(device, NAN, labels);
    assert_true(isnan(loss.sum) && loss.count == 2);
    labels[0] = CLASSES;
    if (!test_on_cpu()) /* where it is an assertion */
        assert_true(isnan(loss_of(device, 0.0f, labels).sum));
}

/* A NaN shows in the loss where its pixel counts, a label that is no class always. */
static void what_is_wrong_shows(void **state)
{
    (void)state;
    test_on_threads(check_special);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_matches_pytorch),
        cmocka_unit_test(what_is_wrong_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
