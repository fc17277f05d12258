/* --recompute: less memory, and the same gradients to the last bit. */
#include "model/model_support.h"

#include <stdlib.h>
#include <string.h>

#define HEIGHT  112
#define WIDTH   144
#define BATCH   2
#define CLASSES 5
#define STEPS   3

struct trial {
    const char *backbone, *decoder, *precision;
    int64_t patch, rank;
    double rope_rescale;
};

/* What a few steps leave. */
struct outcome {
    size_t planned, bytes;        /* of the arena, of one of the arrays */
    float *gradients[2], *values; /* of the first and the last step; parameters at the end */
};

static struct df_segmenter *open_model(const struct trial *trial, bool recompute, struct df_backend *backend)
{
    const struct df_segmenter_options options = {
        .decoder = trial->decoder,
        .classes = CLASSES,
        .rank = trial->rank,
        .max_batch = BATCH,
        .height = HEIGHT - HEIGHT % trial->patch,
        .width = WIDTH - WIDTH % trial->patch,
        .training = true,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .recompute = recompute,
        .rope_rescale = trial->rope_rescale,
        .std = {1, 1, 1},
    };
    return open_segmenter(backend, trial->backbone, &options, NULL);
}

static void load_batch(struct df_segmenter *segmenter, struct df_rng *rng)
{
    static uint8_t pixels[3 * BATCH * HEIGHT * WIDTH], labels[BATCH * HEIGHT * WIDTH];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)df_rng_below(rng, 256);
    for (size_t i = 0; i < sizeof labels; i++)
        labels[i] = i / 50 % 9 == 0 ? 255 : (uint8_t)(i / 700 % CLASSES);
    assert_int_equal(df_segmenter_load_pixels(segmenter, BATCH, pixels, labels), 0);
}

/* Steps on two images, but the last, which has one. */
static struct outcome train(const struct trial *trial, bool recompute, struct df_backend *backend)
{
    struct df_segmenter *segmenter = open_model(trial, recompute, backend);
    const struct df_parameters *parameters = &segmenter->parameters;
    struct outcome outcome = {.planned = segmenter->arena.peak,
                              .bytes = (size_t)df_parameters_length(parameters) * sizeof(float)};
    struct df_rng rng;
    struct df_step_result result;

    scatter_parameters(segmenter);
    df_rng_seed(&rng, 13, 0);
    for (int step = 0; step < STEPS; step++) {
        load_batch(segmenter, &rng);
        assert_int_equal(
            df_segmenter_train_step(segmenter, step + 1 < STEPS ? BATCH : 1, 1e-3, &rng, &result), 0);
        if (step == 0 || step + 1 == STEPS)
            outcome.gradients[step > 0] =
                download_floats(backend, parameters->gradients, (size_t)df_parameters_length(parameters));
    }
    outcome.values = download_floats(backend, parameters->values, (size_t)df_parameters_length(parameters));
    df_segmenter_free(segmenter);
    return outcome;
}

static void free_outcome(struct outcome *outcome)
{
    free(outcome->gradients[0]);
    free(outcome->gradients[1]);
    free(outcome->values);
}

static bool any_gradient(const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->bytes / sizeof(float); i++) {
        if (outcome->gradients[0][i] != 0.0f)
            return true;
    }
    return false;
}

static void check_trial(void **state)
{
    const struct trial *trial = *state;
    if (strcmp(trial->precision, "bf16") == 0 && !df_cpu_bf16_is_native()) {
        print_message("skipped: this processor has no bf16 products\n");
        skip();
    }
    struct df_backend *backend = open_backend(trial->precision);
    struct outcome kept = train(trial, false, backend), recomputed = train(trial, true, backend);

    assert_true(any_gradient(&kept));
    assert_int_equal(kept.bytes, recomputed.bytes);
    for (int i = 0; i < 2; i++)
        assert_memory_equal(kept.gradients[i], recomputed.gradients[i], kept.bytes);
    assert_memory_equal(kept.values, recomputed.values, kept.bytes);
    if (trial->rank > 0)
        assert_true(recomputed.planned < kept.planned);
    else
        assert_int_equal(recomputed.planned, kept.planned);
    free_outcome(&kept);
    free_outcome(&recomputed);
    df_backend_close(backend);
}

#define TRIAL(name, ...) TEST_ROW(#name, check_trial, (&(struct trial){__VA_ARGS__}))

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(dinov2_linear, "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, 3, 1.0),
        TRIAL(dinov2_multi, "dinov2_tiny_reg/backbone.pth", "multi", "fp32", 14, 3, 1.0),
        TRIAL(dinov2_fpn, "dinov2_tiny_reg/backbone.pth", "fpn", "fp32", 14, 3, 1.0),
        TRIAL(dinov2_swiglu, "dinov2_tiny_swiglu_reg/backbone.pth", "linear", "fp32", 14, 3, 1.0),
        TRIAL(dinov2_linear_bf16, "dinov2_tiny_reg/backbone.pth", "linear", "bf16", 14, 3, 1.0),
        TRIAL(dinov3_linear, "dinov3_tiny/backbone.pth", "linear", "fp32", 16, 3, 1.0),
        TRIAL(dinov3_fpn, "dinov3_tiny/backbone.pth", "fpn", "fp32", 16, 3, 1.0),
        TRIAL(dinov3_rescaled_rope, "dinov3_tiny_swiglu/backbone.pth", "linear", "fp32", 16, 3, 2.0),
        TRIAL(dinov3_linear_bf16, "dinov3_tiny/backbone.pth", "linear", "bf16", 16, 3, 1.0),
        TRIAL(without_lora_nothing_changes, "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, 0, 1.0),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
