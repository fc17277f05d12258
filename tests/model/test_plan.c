/* The memory plan without a model: what df_segmenter_plan counts is what df_segmenter_create takes. */
#include "model/model_support.h"

#include <string.h>

struct trial {
    const char *backbone, *decoder, *precision; /* decoder NULL: features alone */
    int64_t patch, rank;
    bool training, recompute;
    bool more_lora; /* in all layers of the last blocks, with dropout */
};

/* The operations of a backend, those that take memory for weights watched. */
static struct watched {
    const struct df_backend_ops *real;
    struct df_backend_ops ops;
    size_t forward, backward; /* of linear layers */
    size_t vectors, last;     /* all allocations but the last, which is the arena's; that one */
} watched;

static struct df_linear *watch_linear(struct df_backend *backend, const float *weight, const float *bias,
                                      int64_t out, int64_t in, int64_t max_rows, bool backward)
{
    size_t bytes;
    assert_int_equal(watched.real->linear_bytes(backend, out, in, max_rows, false, &bytes), 0);
    watched.forward += bytes + (bias ? (size_t)out * sizeof(float) : 0);
    if (backward) {
        assert_int_equal(watched.real->linear_bytes(backend, out, in, max_rows, true, &bytes), 0);
        watched.backward += bytes;
    }
    return watched.real->linear_create(backend, weight, bias, out, in, max_rows, backward);
}

static void *watch_alloc(struct df_backend *backend, size_t bytes)
{
    watched.vectors += watched.last;
    watched.last = bytes;
    return watched.real->alloc(backend, bytes);
}

static void watch(struct df_backend *backend)
{
    watched = (struct watched){.real = backend->ops, .ops = *backend->ops};
    watched.ops.linear_create = watch_linear;
    watched.ops.alloc = watch_alloc;
    backend->ops = &watched.ops;
}

static void check_items(const struct df_memory_plan *planned, const struct df_arena *taken)
{
    assert_int_equal(planned->peak, taken->peak);
    assert_int_equal(planned->n_items, taken->n_items);
    for (int i = 0; i < planned->n_items; i++) {
        assert_string_equal(planned->items[i].name, taken->items[i].name);
        assert_int_equal(planned->items[i].count, taken->items[i].count);
        assert_int_equal(planned->items[i].bytes, taken->items[i].bytes);
    }
}

static void check_trial(void **state)
{
    const struct trial *trial = *state;
    struct df_vit_config config;
    struct df_memory_plan planned;
    const struct df_segmenter_options options = {
        .decoder = trial->decoder,
        .n_features = 2,
        .class_tokens = !trial->decoder,
        .classes = 7,
        .rank = trial->rank,
        .lora = {.targets = trial->more_lora ? DF_LORA_Q_AND_V | DF_LORA_BIT(DF_LORA_PROJ) |
                                                   DF_LORA_BIT(DF_LORA_UP) | DF_LORA_BIT(DF_LORA_DOWN)
                                             : 0,
                 .left_out = {trial->more_lora}},
        .lora_dropout = trial->more_lora ? 0.1 : 0.0,
        .max_batch = 2,
        .height = 8 * trial->patch,
        .width = 10 * trial->patch,
        .training = trial->training,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .recompute = trial->recompute,
        .rope_rescale = 2.0,
        .std = {1, 1, 1},
    };
    struct df_backend *backend = open_backend(trial->precision);
    struct df_state *weights = df_backbone_read(fixture_path(trial->backbone), &config);
    assert_works(weights);
    watch(backend);
    assert_int_equal(df_segmenter_plan(backend, &config, &options, &planned), 0);
    assert_int_equal(watched.last, 0);
    assert_int_equal(watched.forward, 0);
    struct df_segmenter *taken = df_segmenter_create(backend, weights, &config, &options, NULL, 0);
    assert_works(taken);

    check_items(&planned, &taken->arena);
    assert_int_equal(watched.last, taken->arena.peak);
    assert_int_equal(df_segmenter_planned_bytes(taken), taken->arena.peak);
    assert_int_equal(planned.trained_parameters, df_segmenter_trained_parameters(taken));
    assert_int_equal(planned.forward_weights, watched.forward + watched.vectors);
    assert_int_equal(planned.backward_weights, watched.backward);
    if (test_on_cpu()) /* other backends need no second copy of the weights */
        assert_int_equal(planned.backward_weights > 0, trial->training && trial->rank > 0);
    backend->ops = watched.real;
    df_segmenter_free(taken);
    df_state_free(weights);
    df_backend_close(backend);
}

#define TRIAL(name, ...) TEST_ROW(#name, check_trial, (&(struct trial){__VA_ARGS__}))

/* 40 blocks, with all that a plan can hold; nothing of it is there. */
static void the_largest_models(void **state)
{
    static const char *const names[] = {"dinov2_vitg14_reg", "dinov3_vit7b16"};
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_segmenter_options options = {.decoder = "fpn",
                                           .classes = 150,
                                           .rank = 3,
                                           .max_batch = 16,
                                           .height = 1120,
                                           .width = 1120,
                                           .training = true,
                                           .optimizer = DF_OPTIMIZER_DEFAULTS,
                                           .rope_rescale = 2.0,
                                           .std = {1, 1, 1}};
    for (int i = 0; i < 2; i++) {
        struct df_vit_config config;
        size_t peaks[2];
        assert_int_equal(df_vit_config_for_hub_name(names[i], &config), 0);
        for (int recompute = 0; recompute < 2; recompute++) {
            options.recompute = recompute;
            struct df_memory_plan planned;
            assert_works(df_segmenter_plan(backend, &config, &options, &planned) == 0);
            assert_in_range(planned.n_items, 20, DF_ARENA_MAX_ITEMS - 1); /* a plan shows no more */
            peaks[recompute] = planned.peak;
        }
        assert_true(peaks[0] > ((size_t)100 << 30) && peaks[1] < peaks[0] / 5);
    }
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(training, "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, 3, true, false, false),
        TRIAL(training_more_lora, "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, 3, true, false, true),
        TRIAL(recomputing_more_lora, "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, 3, true, true,
              true),
        TRIAL(recomputing, "dinov3_tiny/backbone.pth", "fpn", "fp32", 16, 3, true, true, false),
        TRIAL(without_lora, "dinov3_tiny_swiglu/backbone.pth", "linear", "fp32", 16, 0, true, false, false),
        TRIAL(evaluation, "dinov2_tiny_swiglu_reg/backbone.pth", "linear", "fp32", 14, 3, false, false,
              false),
        TRIAL(features_alone, "dinov3_tiny/backbone.pth", NULL, "fp32", 16, 0, false, false, false),
        TRIAL(training_in_bf16, "dinov3_tiny_7b/backbone.pth", "linear", "bf16", 16, 3, true, false, false),

        cmocka_unit_test(the_largest_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
