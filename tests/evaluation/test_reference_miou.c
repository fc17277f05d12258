/* The reference project's metric of October 2025 against PyTorch's (tests/fixtures/reference_miou/make.py),
 * from logits on. */
#include "support/cmocka_all.h"
#include "support/golden.h"
#include "support/open_backend.h"

#include "dinoft/labels.h"
#include "dinoft/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 2

/* A set of the fixture, and its images as the device counts them. */
struct subject {
    struct df_backend *backend;
    const char *name;
    const struct df_state *state;
    int64_t images, height, width, classes;
    void *logits, *labels, *maps[2]; /* the device's, of one image; maps: of logits, of sigmoids */
    int64_t *on_device, *counts[2];  /* [C + 1, C]: the device's, the host's */
    int64_t differing;               /* predictions of sigmoids that are not PyTorch's */
};

static const struct df_tensor *tensor_of(const struct subject *subject, const char *key)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", subject->name, key);
    return golden_tensor(subject->state, name);
}

static const float *floats_of(const struct subject *subject, const char *key)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", subject->name, key);
    return golden_floats(subject->state, name);
}

static void *device_memory(const struct subject *subject, size_t bytes)
{
    void *memory = subject->backend->ops->alloc(subject->backend, bytes);
    assert_non_null(memory);
    return memory;
}

static void open_subject(struct subject *subject)
{
    const struct df_tensor *logits = tensor_of(subject, "logits");
    subject->images = logits->shape[0];
    subject->height = logits->shape[1];
    subject->width = logits->shape[2];
    subject->classes = logits->shape[3];
    const size_t pixels = (size_t)(subject->height * subject->width);
    const size_t counts = df_confusion_count(subject->classes) * sizeof(int64_t);
    subject->logits = device_memory(subject, pixels * (size_t)subject->classes * sizeof(float));
    subject->labels = device_memory(subject, pixels);
    subject->on_device = device_memory(subject, counts);
    for (int i = 0; i < 2; i++) {
        subject->maps[i] = device_memory(subject, pixels);
        subject->counts[i] = malloc(counts);
        assert_non_null(subject->counts[i]);
    }
}

static void close_subject(struct subject *subject)
{
    const struct df_backend_ops *ops = subject->backend->ops;
    for (int i = 0; i < 2; i++) {
        ops->free(subject->backend, subject->maps[i]);
        free(subject->counts[i]);
    }
    ops->free(subject->backend, subject->logits);
    ops->free(subject->backend, subject->labels);
    ops->free(subject->backend, subject->on_device);
}

static void compare_prediction(struct subject *subject, int64_t image)
{
    const int64_t pixels = subject->height * subject->width;
    const uint8_t *expected = (const uint8_t *)tensor_of(subject, "prediction")->data + image * pixels;
    uint8_t *found = malloc((size_t)pixels);
    assert_non_null(found);
    assert_int_equal(
        subject->backend->ops->download(subject->backend, found, subject->maps[1], (size_t)pixels), 0);
    for (int64_t i = 0; i < pixels; i++)
        subject->differing += found[i] != expected[i];
    free(found);
}

/* The logits are already of the image's size. */
static void count_image(struct subject *subject, int64_t image)
{
    struct df_backend *backend = subject->backend;
    const int64_t pixels = subject->height * subject->width;
    const float *logits = floats_of(subject, "logits") + image * pixels * subject->classes;
    const uint8_t *labels = (const uint8_t *)tensor_of(subject, "labels")->data + image * pixels;
    struct df_upsample_loss work = {.batch = 1,
                                    .h = subject->height,
                                    .w = subject->width,
                                    .classes = subject->classes,
                                    .height = subject->height,
                                    .width = subject->width,
                                    .logits = subject->logits,
                                    .prediction = subject->maps[0],
                                    .sigmoid_prediction = subject->maps[1]};

    assert_int_equal(backend->ops->upload(backend, subject->logits, logits,
                                          (size_t)(pixels * subject->classes) * sizeof *logits),
                     0);
    assert_int_equal(backend->ops->upload(backend, subject->labels, labels, (size_t)pixels), 0);
    assert_int_equal(backend->ops->upsample_loss(backend, &work, NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(backend->ops->confusion_matrix(backend, subject->maps[i], subject->labels, pixels,
                                                        subject->classes, subject->on_device),
                         0);
        assert_int_equal(backend->ops->download(backend, subject->counts[i], subject->on_device,
                                                df_confusion_count(subject->classes) * sizeof(int64_t)),
                         0);
    }
    compare_prediction(subject, image);
}

static void assert_near(const char *what, int64_t number, double found, double expected)
{
    const double tolerance = test_on_cpu() ? 1e-7 : 1e-3; /* the fixture is in float32 */
    if (!(fabs(found - expected) <= tolerance) && !(isnan(found) && isnan(expected)))
        fail_msg("%s %d: found %.9f, PyTorch %.9f", what, (int)number, found, expected);
}

static void check_set(struct df_backend *backend, const struct df_state *state, const char *name,
                      bool void_is_background)
{
    struct subject subject = {.backend = backend, .state = state, .name = name};
    struct df_metrics metrics;
    struct df_scores scores;
    double before = 0.0;

    open_subject(&subject);
    assert_int_equal(df_metrics_init(&metrics, (int)subject.classes, void_is_background), 0);
    for (int64_t i = 0; i < subject.images; i++) {
        count_image(&subject, i);
        df_metrics_add_image(&metrics, subject.counts[0], subject.counts[1]);
        if ((i + 1) % BATCH != 0 && i + 1 < subject.images)
            continue;
        const float expected = floats_of(&subject, "batches")[i / BATCH];
        df_metrics_end_batch(&metrics, 0.0);
        if (isnan(expected))
            assert_true(metrics.batch_miou_sum == before);
        else
            assert_near(name, i / BATCH, metrics.batch_miou_sum - before, (double)expected);
        before = metrics.batch_miou_sum;
    }
    df_metrics_scores(&metrics, &scores);
    assert_near(name, -1, scores.reference_miou, (double)*floats_of(&subject, "miou"));
    /* A GPU's logits are multiplied by log2 e first: a rounding more, which shows where a tie ends. */
    assert_in_range(subject.differing, 0, test_on_cpu() ? 0 : 2);
    df_metrics_free(&metrics);
    close_subject(&subject);
}

static void as_pytorch_computes_it(void **unused)
{
    struct df_state *state = fixture_read("reference_miou/sets.safetensors");
    struct df_backend *backend = test_open_backend("fp32", 2);

    (void)unused;
    assert_non_null(backend);
    check_set(backend, state, "voc", true);
    check_set(backend, state, "others", false);
    df_backend_close(backend);
    df_state_free(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pytorch_computes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
