/* Every kind of model trains by graphs: after a batch size's first gradients and the first update, which are
 * called, and one capture of each, a step of one part is two launches; and what a step finds does not depend
 * on which way it went. */
#include "support/errors.h"
#include "support/open_backend.h"

#include "dinoft/backbone_file.h"
#include "dinoft/segmenter.h"

#include "emulation_control.h"

#include <math.h>
#include <stdlib.h>

#define BATCH   2
#define SIDE    (7 * 14) /* the FPN wants a grid of 7 */
#define CLASSES 3

static const int sizes[] = {2, 2, 1, 2, 1, 2, 1}; /* of the steps' batches */

#define STEPS (sizeof sizes / sizeof sizes[0])

struct trial {
    enum df_family family;
    const char *decoder, *precision;
    double rescale;
    bool recompute;
    bool all; /* two parts, clipping and a moving average */
    double tolerance;
    bool dora; /* of a loss, relative */
};

static int parts_of(const struct trial *trial)
{
    return trial->all ? 2 : 1;
}

static struct df_segmenter *open_model(struct df_backend *backend, const struct trial *trial)
{
    const bool v2 = trial->family == DF_DINOV2;
    const struct df_vit_config vit = {.family = trial->family,
                                      .dim = 64,
                                      .depth = 4,
                                      .heads = 1,
                                      .head_size = 64,
                                      .patch = 14,
                                      .registers = v2 ? 0 : 4,
                                      .ffn = v2 ? DF_FFN_MLP : DF_FFN_SWIGLU,
                                      .ffn_hidden = 128,
                                      .pos_grid = v2 ? 4 : 0,
                                      .qkv_bias = true,
                                      .layernorm_eps = v2 ? 1e-6f : 1e-5f};
    const struct df_optimizer_options plain = DF_OPTIMIZER_DEFAULTS;
    const struct df_optimizer_options all = {.lr_head = 1.0,
                                             .lr_lora = 2.0,
                                             .lora_scale = 2.0,
                                             .lora_plus = 3.0,
                                             .weight_decay = 0.01,
                                             .grad_clip = 0.1,
                                             .ema = 0.5};
    const struct df_segmenter_options options = {
        .decoder = trial->decoder,
        .classes = CLASSES,
        .rank = 2,
        .lora = {.targets = trial->dora ? ~0u : 0, .dora = trial->dora},
        .max_batch = BATCH,
        .height = SIDE,
        .width = SIDE,
        .training = true,
        .accumulates = trial->all,
        .optimizer = trial->all ? all : plain,
        .recompute = trial->recompute,
        .rope_rescale = trial->rescale,
        .std = {1.0f, 1.0f, 1.0f}};
    struct df_state *weights = df_backbone_random(&vit, 1);
    struct df_segmenter *model =
        weights ? df_segmenter_create(backend, weights, &vit, &options, NULL, 1) : NULL;
    assert_works(model);
    df_state_free(weights);
    return model;
}

/* A step's parts, which have as many images each. */
static void train_step(struct df_segmenter *model, const struct trial *trial, int size, struct df_rng *rng,
                       struct df_step_result *result)
{
    static uint8_t pixels[BATCH * SIDE * SIDE * 3], labels[BATCH * SIDE * SIDE];

    for (int part = 0; part < parts_of(trial); part++) {
        for (size_t i = 0; i < sizeof pixels; i++)
            pixels[i] = (uint8_t)df_rng_below(rng, 256);
        for (size_t i = 0; i < sizeof labels; i++)
            labels[i] = (uint8_t)(pixels[3 * i] / 86);
        assert_int_equal(df_segmenter_load_pixels(model, size, pixels, labels), 0);
        assert_int_equal(df_segmenter_train_part(model, size, rng), 0);
    }
    assert_int_equal(df_segmenter_update(model, 1e-3), 0);
    assert_int_equal(df_segmenter_step_result(model, result), 0);
    assert_int_equal(result->counted, parts_of(trial) * size * SIDE * SIDE);
}

/* The losses of the steps, and behind them that of the last batch after them, with the moving average if
 * there is one. */
static void train(enum df_device_choice device, const struct trial *trial, double losses[STEPS + 1])
{
    struct df_backend *backend = df_backend_open(device, test_precision(trial->precision), 2);
    struct df_segmenter *model;
    struct df_rng rng;
    struct df_step_result result;
    int64_t counted;

    assert_non_null(backend);
    model = open_model(backend, trial);
    df_rng_seed(&rng, 5, 0);
    for (size_t step = 0; step < STEPS; step++) {
        train_step(model, trial, sizes[step], &rng, &result);
        losses[step] = result.loss;
    }
    assert_int_equal(df_segmenter_use_average(model, true), 0);
    assert_int_equal(df_segmenter_forward(model, 1, false, NULL), 0);
    assert_int_equal(df_segmenter_loss(model, 1, false, false, &losses[STEPS], &counted), 0);
    losses[STEPS] /= (double)counted;
    df_segmenter_free(model);
    df_backend_close(backend);
}

static void check_trial(void **state)
{
    const struct trial *trial = *state;
    double expected[STEPS + 1], found[STEPS + 1];
    const int graphs = df_emulation_graphs(), launches = df_emulation_graph_launches();

    train(DF_DEVICE_CUDA, trial, found);
    assert_int_equal(df_emulation_graphs() - graphs, 3);
    assert_int_equal(df_emulation_graph_launches() - launches, (1 + parts_of(trial)) * (int)STEPS - 3);
    train(DF_DEVICE_CPU, trial, expected);
    for (size_t step = 0; step <= STEPS; step++) {
        if (!(fabs(found[step] - expected[step]) <= trial->tolerance * expected[step]))
            fail_msg("step %d: loss %.9g, on the CPU %.9g", (int)step, found[step], expected[step]);
    }
}

#define TRIAL(name, ...) TEST_ROW(#name, check_trial, (&(struct trial){__VA_ARGS__}))

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(dinov2_with_linear_decoder, DF_DINOV2, "linear", "fp32", 1.0, false, false, 1e-5, false),
        TRIAL(dinov2_with_mlp, DF_DINOV2, "mlp", "fp32", 1.0, false, false, 1e-3, false),
        TRIAL(dinov2_with_multi, DF_DINOV2, "multi", "fp32", 1.0, false, false, 1e-5, false),
        TRIAL(dinov2_with_fpn, DF_DINOV2, "fpn", "fp32", 1.0, false, false, 1e-3, false),
        /* the tables that are drawn for each step are the replayed step's too */
        TRIAL(dinov3_with_rescaled_rope, DF_DINOV3, "linear", "fp32", 2.0, true, false, 1e-5, false),
        TRIAL(dinov3_in_bf16, DF_DINOV3, "linear", "bf16", 1.0, false, false, 1e-2, false),
        TRIAL(parts_clipped_and_averaged, DF_DINOV3, "linear", "fp32", 2.0, false, true, 1e-5, false),
        TRIAL(dora_in_parts, DF_DINOV3, "linear", "fp32", 2.0, true, true, 1e-5, true),
        TRIAL(parts_clipped_and_averaged_in_bf16, DF_DINOV2, "linear", "bf16", 1.0, false, true, 1e-2, false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
