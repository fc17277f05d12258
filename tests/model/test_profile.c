/* A model on the profiler: the same bits as without it, and a profile that accounts for all its work. */
#include "model/model_support.h"

#include "dinoft/flops.h"
#include "dinoft/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS   2
#define BATCH   2
#define CLASSES 5
#define V2      "dinov2_tiny_reg/backbone.pth"
#define V3      "dinov3_tiny/backbone.pth"
#define SWIGLU  "dinov3_tiny_swiglu/backbone.pth"

struct outcome {
    struct df_vit_config config;
    size_t n_values, n_logits, n_prediction;
    float *values, *logits; /* what is trained, after the steps; the first image's logits */
    uint8_t *prediction;
    double flops;
    int64_t tokens, patches; /* N, P */
};

struct trial {
    const char *backbone, *decoder, *precision;
    int64_t height, width, rank;
    bool training;
};

static void load_random_batch(struct df_segmenter *segmenter)
{
    const size_t count = (size_t)(BATCH * segmenter->options.height * segmenter->options.width);
    uint8_t *pixels = malloc(3 * count), *labels = malloc(count);
    for (size_t i = 0; i < 3 * count; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i < count; i++)
        labels[i] = (uint8_t)(i / 50 % CLASSES);
    assert_int_equal(df_segmenter_load_pixels(segmenter, BATCH, pixels, labels), 0);
    free(pixels);
    free(labels);
}

static struct df_segmenter *open_model(const struct trial *trial, struct df_backend *backend)
{
    const struct df_segmenter_options options = {.decoder = trial->decoder,
                                                 .classes = CLASSES,
                                                 .rank = trial->rank,
                                                 .max_batch = BATCH,
                                                 .height = trial->height,
                                                 .width = trial->width,
                                                 .training = trial->training,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .rope_rescale = 1.0,
                                                 .std = {1, 1, 1}};
    return open_segmenter(backend, trial->backbone, &options, NULL);
}

static void step(struct df_segmenter *segmenter)
{
    struct df_step_result result;
    double loss;
    int64_t counted;
    load_random_batch(segmenter);
    if (segmenter->options.training) {
        assert_int_equal(df_segmenter_train_step(segmenter, BATCH, 1e-2, NULL, &result), 0);
        return;
    }
    assert_int_equal(df_segmenter_forward(segmenter, BATCH, false, NULL), 0);
    assert_int_equal(df_segmenter_loss(segmenter, BATCH, false, true, &loss, &counted), 0);
}

static void keep(struct df_segmenter *segmenter, struct outcome *outcome)
{
    const size_t pixels = (size_t)(segmenter->options.height * segmenter->options.width);
    outcome->n_values = (size_t)df_parameters_length(&segmenter->parameters);
    outcome->n_logits = CLASSES * pixels;
    outcome->n_prediction = BATCH * pixels;
    outcome->logits = malloc(outcome->n_logits * sizeof(float));
    outcome->prediction = malloc(outcome->n_prediction);
    outcome->values = download_floats(segmenter->backend, segmenter->parameters.values, outcome->n_values);
    assert_int_equal(df_segmenter_loss(segmenter, BATCH, false, true, NULL, NULL), 0);
    assert_int_equal(df_segmenter_download_prediction(segmenter, BATCH, outcome->prediction), 0);
    assert_int_equal(df_segmenter_download_logits(segmenter, 0, outcome->logits), 0);
    outcome->patches = segmenter_feature_count(segmenter, 1) / outcome->config.dim;
    outcome->tokens = outcome->patches + 1 + outcome->config.registers;
    assert_int_equal(df_segmenter_flops(&outcome->config, df_segmenter_made_with(segmenter), &outcome->flops),
                     0);
    outcome->flops *= BATCH;
}

static void outcome_free(struct outcome *outcome)
{
    free(outcome->values);
    free(outcome->logits);
    free(outcome->prediction);
}

/* Runs the trial on the backend, recording the steps where there is a profile to fill; closes the backend. */
static struct outcome run(const struct trial *trial, struct df_backend *backend, struct df_profile *profile)
{
    struct outcome outcome = {0};
    struct df_segmenter *segmenter = open_model(trial, backend);
    outcome.config = segmenter->config;
    for (int i = 0; i < STEPS; i++) {
        if (profile)
            df_profiler_begin_step(backend);
        step(segmenter);
        if (profile)
            assert_int_equal(df_profiler_end_step(backend), 0);
    }
    if (profile)
        assert_int_equal(df_profiler_result(backend, profile), 0);
    keep(segmenter, &outcome);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
    return outcome;
}

static struct outcome run_profiled(const struct trial *trial, struct df_profile *profile)
{
    return run(trial, df_profiler_open(open_backend(trial->precision), STEPS), profile);
}

static double sum_of_flops(const struct df_profile *profile)
{
    double sum = 0.0;
    for (size_t i = 0; i < profile->n_rows; i++)
        sum += profile->rows[i].work.flops;
    return sum;
}

/* The profiled model equals the plain one, and its operations do the work that df_segmenter_flops() tells. */
static void check_trial(void **state)
{
    const struct trial *trial = *state;
    struct df_profile profile;
    struct outcome plain = run(trial, open_backend(trial->precision), NULL),
                   profiled = run_profiled(trial, &profile);

    assert_int_equal(plain.n_values, profiled.n_values);
    assert_memory_equal(plain.values, profiled.values, plain.n_values * sizeof(float));
    assert_memory_equal(plain.logits, profiled.logits, plain.n_logits * sizeof(float));
    assert_memory_equal(plain.prediction, profiled.prediction, plain.n_prediction);
    if (fabs(sum_of_flops(&profile) / profiled.flops - 1.0) > 1e-12)
        fail_msg("%.0f FLOP in the profile, %.0f expected", sum_of_flops(&profile), profiled.flops);
    for (size_t i = 0; i < profile.n_rows; i++) {
        const struct df_profile_row *row = &profile.rows[i];
        assert_true(row->seconds >= 0.0 && row->work.bytes > 0.0 && row->calls >= 1.0);
        assert_true(row->calls == floor(row->calls)); /* every step makes the same calls */
    }
    assert_true(profile.outside >= 0.0 && profile.seconds >= profile.outside);
    df_profile_free(&profile);
    outcome_free(&plain);
    outcome_free(&profiled);
}

static double calls_of(const struct df_profile *profile, const char *operation)
{
    double calls = 0.0;
    for (size_t i = 0; i < profile->n_rows; i++) {
        if (strcmp(profile->rows[i].operation, operation) == 0)
            calls += profile->rows[i].calls;
    }
    return calls;
}

/* Four blocks: what each of them calls in one training step. */
static void calls_of_a_step(void **state)
{
    static const struct {
        const char *operation;
        int in_a_block, once; /* `once` is negative for what the first block is spared */
    } expected[] = {
        {"upload", 0, 3},
        {"image_normalize", 0, 1},
        {"patchify", 0, 1},
        {"assemble_tokens", 0, 1},
        {"linear_forward", 4, 1},
        {"linear_backward", 4, -1},
        {"layernorm_forward", 3, 1},
        {"layernorm_backward", 2, 0},
        {"attention_forward", 1, 0},
        {"attention_backward", 1, 0},
        {"gelu_forward", 1, 0},
        {"gelu_backward", 1, 0},
        {"matmul", 9, 2},
        {"add_bias", 0, 1},
        {"column_sum", 0, 1},
        {"upsample_loss", 0, 1},
        {"gradient_scale", 0, 1},
        {"adamw", 0, 4},
        {"add_gradient", 0, 0},
        {"moving_average", 0, 0},
        {"rope_tables", 0, 0},
        {"swiglu_forward", 0, 0},
        {"conv_forward", 0, 0},
        {"rope", 0, 0},
        {"download", 0, 0},
    };
    const struct trial trial = {V2, "linear", "fp32", 112, 140, 3, true};
    struct df_profile profile;
    struct outcome outcome = run_profiled(&trial, &profile);

    assert_int_equal(outcome.config.depth, 4);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const double calls = calls_of(&profile, expected[i].operation);
        const int wanted = 4 * expected[i].in_a_block + expected[i].once;
        if (calls != wanted)
            fail_msg("%s: %g calls, expected %d", expected[i].operation, calls, wanted);
    }
    df_profile_free(&profile);
    outcome_free(&outcome);
}

#define TRIAL(name, ...) TEST_ROW(#name, check_trial, (&(struct trial){__VA_ARGS__}))

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(training_with_lora, V2, "linear", "fp32", 112, 140, 3, true),
        TRIAL(training_with_lora_and_swiglu, SWIGLU, "linear", "fp32", 128, 160, 2, true),
        TRIAL(training_with_lora_and_fpn, V3, "fpn", "fp32", 128, 160, 3, true),
        TRIAL(training_a_decoder_alone, V2, "fpn", "fp32", 112, 140, 0, true),
        TRIAL(evaluating, V3, "fpn", "fp32", 128, 160, 3, false),
        TRIAL(in_bf16, V2, "linear", "bf16", 112, 140, 3, true),
        cmocka_unit_test(calls_of_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
