/* A step allocates nothing: neither the program nor GNU's OpenMP runtime calls malloc or its relatives
 * after two steps that warm up. Every memory object and scratchpad of oneDNN is made beforehand, but the
 * library itself takes small blocks for a call's arguments in dnnl_primitive_execute, and dnnl_sgemm takes
 * some 100 KB while it runs. Nobody outside can prevent that; these calls are counted apart, bounded, and
 * must leave nothing behind. */
#include "support/allocations.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/open_backend.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/metrics.h"
#include "dinoft/segmenter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* oneDNN's own calls in one step. oneDNN 2.6.3 with AVX-512, four blocks, the most of all steps below: 620
 * (FPN in float32); a training step with the 1x1 decoder 350 in float32 and 242 in bf16. */
#define ONEDNN_MOST       1000
#define ONEDNN_MOST_BYTES ((size_t)1 << 20)
/* LLVM's OpenMP runtime takes a few blocks for each parallel loop: 793 in the step with the most. */
#define LIBOMP_MOST 2000

#define BATCH   2
#define HEIGHT  112
#define WIDTH   144
#define CLASSES 5

struct subject {
    struct df_backend *backend;
    struct df_segmenter *segmenter;
    struct df_metrics metrics;
    struct df_rng rng;
    uint8_t pixels[BATCH * HEIGHT * WIDTH * 3], labels[BATCH * HEIGHT * WIDTH];
    uint8_t prediction[BATCH * HEIGHT * WIDTH];
    struct df_comparison *comparison; /* the device's */
    union {
        struct df_comparison comparison;
        char bytes[sizeof(struct df_comparison) +
                   (2 * (CLASSES + 1) * CLASSES + 3 * CLASSES) * sizeof(int64_t)];
    } fetched;
};

typedef int step_function(struct subject *subject);

static int training_step(struct subject *subject)
{
    struct df_step_result result;
    DF_TRY(df_segmenter_load_pixels(subject->segmenter, BATCH, subject->pixels, subject->labels));
    return df_segmenter_train_step(subject->segmenter, BATCH, 1e-3, &subject->rng, &result);
}

static int evaluation_step(struct subject *subject)
{
    struct df_segmenter *segmenter = subject->segmenter;
    struct df_comparison *fetched = &subject->fetched.comparison;
    const struct df_wanted wanted = {.classes = subject->prediction, .comparison = subject->comparison};
    DF_TRY(df_segmenter_load_pixels(segmenter, BATCH, subject->pixels, subject->labels));
    DF_TRY(df_segmenter_forward(segmenter, BATCH, false, NULL));
    for (int64_t i = 0; i < BATCH; i++) {
        DF_TRY(df_segmenter_predict(segmenter, i, &wanted));
        DF_TRY(subject->backend->ops->download(subject->backend, &subject->fetched, subject->comparison,
                                               sizeof subject->fetched));
        df_metrics_add_image(&subject->metrics, fetched->confusion,
                             df_comparison_of_sigmoids(fetched, CLASSES));
    }
    df_metrics_end_batch(&subject->metrics, fetched->loss.sum / (double)fetched->loss.count);
    return 0;
}

/* At the labels' own size, another one for each image. */
static int original_size_step(struct subject *subject)
{
    const struct df_wanted wanted = {.classes = subject->prediction, .comparison = subject->comparison};
    DF_TRY(df_segmenter_load_pixels(subject->segmenter, BATCH, subject->pixels, NULL));
    DF_TRY(df_segmenter_forward(subject->segmenter, BATCH, false, NULL));
    for (int64_t i = 0; i < BATCH; i++)
        DF_TRY(df_segmenter_predict_at(subject->segmenter, i, HEIGHT - 10 * i, WIDTH - 30, subject->labels,
                                       &wanted));
    return 0;
}

static void check_step(struct subject *subject, const char *what, step_function *step)
{
    struct allocations counted;
    for (int i = 0; i < 3; i++) {
        allocations_start();
        const int status = step(subject);
        allocations_stop(&counted);
        if (status != 0)
            fail_msg("%s: %s", what, df_error_text());
    }
    if (counted.others > 0)
        fail_msg("%s: %ld allocations in a step, the first of %s", what, counted.others, counted.where);
    if (counted.kept != 0)
        fail_msg("%s: a step keeps %ld blocks", what, counted.kept);
    print_message("%s: oneDNN allocates %ld times itself, at most %zu bytes; libomp %ld times\n", what,
                  counted.onednn, counted.onednn_bytes, counted.libomp);
    assert_in_range(counted.libomp, 0, LIBOMP_MOST);
    assert_in_range(counted.onednn, 1, ONEDNN_MOST); /* none at all: the count does not see the libraries */
    assert_in_range(counted.onednn_bytes, 1, ONEDNN_MOST_BYTES);
}

struct trial {
    const char *backbone, *decoder, *precision;
    int64_t patch, rank;
    double rope_rescale;
    bool recompute;
};

/* False where this machine or this version has no such model. */
static bool open_subject(struct subject *subject, const struct trial *trial, bool training)
{
    struct df_vit_config config;
    const struct df_segmenter_options options = {
        .decoder = trial->decoder,
        .classes = CLASSES,
        .rank = training ? trial->rank : 0,
        .max_batch = BATCH,
        .height = HEIGHT - HEIGHT % trial->patch,
        .width = WIDTH - WIDTH % trial->patch,
        .training = training,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .recompute = trial->recompute,
        .rope_rescale = trial->rope_rescale,
        .std = {1, 1, 1},
    };
    subject->backend = test_open_backend(trial->precision, 2);
    if (!subject->backend)
        return false;
    struct df_state *weights = df_backbone_read(fixture_path(trial->backbone), &config);
    assert_works(weights);
    subject->segmenter = df_segmenter_create(subject->backend, weights, &config, &options, NULL, 5);
    df_state_free(weights);
    if (!subject->segmenter)
        return false;
    subject->comparison = subject->backend->ops->alloc(subject->backend, sizeof subject->fetched);
    assert_non_null(subject->comparison);
    assert_int_equal(df_metrics_init(&subject->metrics, CLASSES, false), 0);
    df_rng_seed(&subject->rng, 1, 1);
    for (size_t i = 0; i < sizeof subject->pixels; i++)
        subject->pixels[i] = (uint8_t)(i * 31);
    for (size_t i = 0; i < sizeof subject->labels; i++)
        subject->labels[i] = (uint8_t)(i / 700 % CLASSES);
    return true;
}

static void close_subject(struct subject *subject)
{
    if (subject->segmenter)
        df_metrics_free(&subject->metrics);
    df_segmenter_free(subject->segmenter);
    if (subject->backend)
        subject->backend->ops->free(subject->backend, subject->comparison);
    df_backend_close(subject->backend);
    free(subject);
}

static void check_trial(void **state)
{
    const struct trial *trial = *state;
    char what[160];
    if (!allocations_can_be_counted()) {
        print_message("skipped: allocations cannot be counted in this build\n");
        skip();
    }
    for (int training = 0; training < 2; training++) {
        struct subject *subject = calloc(1, sizeof *subject);
        if (!open_subject(subject, trial, training)) {
            assert_works(strcmp(trial->precision, "bf16") == 0);
            print_message("skipped: %s\n", df_error_text());
            close_subject(subject);
            skip();
        }
        snprintf(what, sizeof what, "%s, %s, %s, %s", trial->backbone, trial->decoder, trial->precision,
                 training ? "training model" : "evaluation model");
        if (training)
            check_step(subject, what, training_step);
        check_step(subject, what, evaluation_step);
        check_step(subject, what, original_size_step);
        close_subject(subject);
    }
}

#define TRIAL(name, ...) TEST_ROW(#name, check_trial, (&(struct trial){__VA_ARGS__}))
#define V2               "dinov2_tiny_reg/backbone.pth"
#define V3               "dinov3_tiny_swiglu/backbone.pth"

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(linear_decoder, V2, "linear", "fp32", 14, 3, 1.0, false),
        TRIAL(linear_decoder_in_bf16, V2, "linear", "bf16", 14, 3, 1.0, false),
        TRIAL(feature_pyramid, V2, "fpn", "fp32", 14, 3, 1.0, false),
        TRIAL(feature_pyramid_in_bf16, V2, "fpn", "bf16", 14, 3, 1.0, false),
        TRIAL(without_lora, V2, "linear", "fp32", 14, 0, 1.0, false),
        TRIAL(dinov3_with_rescaled_rope, V3, "linear", "fp32", 16, 3, 2.0, false),
        TRIAL(recomputed_activations, V2, "linear", "fp32", 14, 3, 1.0, true),
        TRIAL(dinov3_in_bf16, V3, "linear", "bf16", 16, 3, 2.0, false),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
