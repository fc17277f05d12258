/* Training losses that are more than plain cross-entropy, and their gradients: values of PyTorch, with
 * ignored pixels and a class that no pixel has (tests/fixtures/losses). */
#include "device.h"

#include "support/cmocka_all.h"
#include "support/golden.h"

#include <math.h>
#include <stdio.h>

/* As make_losses.py has them. */
static const struct loss {
    const char *name;
    bool weighted;
    struct df_loss_terms terms; /* pixel: of all that have no region */
    float region;               /* the factor of Dice's or Lovasz's; 0: none */
    float threshold;            /* of hard pixels, and how many there are at least; 0: all count */
    int64_t least;
    bool lovasz;
} losses[] = {
    {"ce", false, {0}, 0.0f, 0.0f, 0, false},
    {"weighted", true, {0}, 0.0f, 0.0f, 0, false},
    {"smoothed", false, {.smoothing = 0.1f}, 0.0f, 0.0f, 0, false},
    {"weighted_smoothed", true, {.smoothing = 0.3f}, 0.0f, 0.0f, 0, false},
    {"focal", false, {.gamma = 2.0f}, 0.0f, 0.0f, 0, false},
    {"weighted_focal", true, {.gamma = 0.5f}, 0.0f, 0.0f, 0, false},
    {"ohem", false, {0}, 0.0f, 0.3f, 40, false},
    {"weighted_ohem", true, {0}, 0.0f, 0.01f, 300, false},
    {"dice", false, {.pixel = 0.0f}, 1.0f, 0.0f, 0, false},
    {"lovasz", false, {.pixel = 0.0f}, 1.0f, 0.0f, 0, true},
    {"ce_lovasz", true, {.pixel = 1.0f}, 1.5f, 0.0f, 0, true},
    {"ce_dice", true, {.pixel = 1.0f, .smoothing = 0.1f}, 0.7f, 0.0f, 0, false},
};

enum { BATCH = 2, H = 5, W = 6, CLASSES = 9, HEIGHT = 23, WIDTH = 31, LOGITS = BATCH * H * W * CLASSES };

static const float *loss_floats(const struct df_state *state, const struct loss *loss, const char *what)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", loss->name, what);
    return golden_floats(state, name);
}

/* Of PyTorch's norm. */
static double distance(const float *found, const float *expected)
{
    double difference = 0.0, norm = 0.0;

    for (int i = 0; i < LOGITS; i++) {
        difference += pow((double)found[i] - (double)expected[i], 2.0);
        norm += pow((double)expected[i], 2.0);
    }
    return sqrt(difference / norm);
}

static void add_region(struct test_device *device, const struct loss *loss,
                       const struct df_upsample_loss *work, struct df_loss_terms *terms)
{
    const struct df_backend_ops *ops = device->backend->ops;
    float *more = test_buffer_f32(device, 1), *region = test_buffer_f32(device, 2 * CLASSES);
    float *slopes = test_buffer_f32(device, BATCH * HEIGHT * WIDTH),
          *gradient = test_buffer_f32(device, LOGITS);

    terms->more = more;
    if (!loss->lovasz) {
        assert_int_equal(ops->dice(device->backend, work, loss->region, region, more), 0);
        terms->region = region;
        return;
    }
    assert_int_equal(ops->lovasz(device->backend, work, loss->region, slopes, gradient, more), 0);
    terms->slopes = slopes;
    terms->gradient = gradient;
}

static void check_loss(struct test_device *device, const struct df_state *state, const struct loss *loss)
{
    const float *weights = golden_floats(state, "class_weights"), ones[CLASSES] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const double expected = (double)*loss_floats(state, loss, "loss");
    struct df_loss_terms terms = loss->terms;
    struct df_upsample_loss work = {
        .batch = BATCH,
        .h = H,
        .w = W,
        .classes = CLASSES,
        .height = HEIGHT,
        .width = WIDTH,
        .logits = test_put_f32(device, golden_floats(state, "logits"), LOGITS),
        .labels = test_put(device, golden_tensor(state, "labels")->data, BATCH * HEIGHT * WIDTH),
        .dlogits = test_buffer_f32(device, LOGITS),
        .terms = &terms,
    };

    if (loss->region == 0.0f)
        terms.pixel = 1.0f;
    terms.class_weights = test_put_f32(device, loss->weighted ? weights : ones, CLASSES);
    if (loss->least > 0) {
        uint8_t *hard = test_buffer(device, BATCH * HEIGHT * WIDTH);
        assert_int_equal(
            device->backend->ops->hard_pixels(device->backend, &work, loss->threshold, loss->least, hard), 0);
        work.labels = hard;
    }
    if (loss->region > 0.0f)
        add_region(device, loss, &work, &terms);
    for (int i = 0; i < CLASSES; i++)
        terms.weight_sum += loss->weighted ? weights[i] : 1.0f;
    assert_int_equal(
        device->backend->ops->upsample_loss(device->backend, &work, test_buffer_f32(device, 2 * LOGITS)), 0);
    const double off =
        distance(test_get_f32(device, work.dlogits, LOGITS), loss_floats(state, loss, "gradient"));
    if (!(fabs(work.loss.sum / work.loss.weight - expected) <= 2e-6 * expected) || !(off <= 2e-6))
        fail_msg("%s: the loss is %.9g instead of %.9g, the gradient off by %.2g of its norm", loss->name,
                 work.loss.sum / work.loss.weight, expected, off);
}

static void check_all(struct test_device *device)
{
    struct df_state *state = fixture_read("losses/losses.safetensors");

    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        check_loss(device, state, &losses[i]);
    df_state_free(state);
}

static void losses_match_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(losses_match_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
