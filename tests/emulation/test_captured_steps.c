/* Every kind of model trains by graphs: after a batch size's first gradients and the first update, which are
 * called, and one capture of each, a step is two launches; and what a step finds does not depend on which way
 * it went. */
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
    double tolerance; /* of a loss, relative */
};

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
    const struct df_segmenter_options options = {.decoder = trial->decoder,
                                                 .classes = CLASSES,
                                                 .rank = 2,
                                                 .max_batch = BATCH,
                                                 .height = SIDE,
                                                 .width = SIDE,
                                                 .training = true,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
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

/* The losses of the steps. */
static void train(enum df_device_choice device, const struct trial *trial, double losses[STEPS])
{
    static uint8_t pixels[BATCH * SIDE * SIDE * 3], labels[BATCH * SIDE * SIDE];
    struct df_backend *backend = df_backend_open(device, test_precision(trial->precision), 2);
    struct df_segmenter *model;
    struct df_rng rng;
    struct df_step_result result;

    assert_non_null(backend);
    model = open_model(backend, trial);
    df_rng_seed(&rng, 5, 0);
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t i = 0; i < sizeof pixels; i++)
            pixels[i] = (uint8_t)df_rng_below(&rng, 256);
        for (size_t i = 0; i < sizeof labels; i++)
            labels[i] = (uint8_t)(pixels[3 * i] / 86);
        assert_int_equal(df_segmenter_load_pixels(model, sizes[step], pixels, labels), 0);
        assert_int_equal(df_segmenter_train_step(model, sizes[step], 1e-3, &rng, &result), 0);
        losses[step] = result.loss;
        assert_int_equal(result.counted, sizes[step] * SIDE * SIDE);
    }
    df_segmenter_free(model);
    df_backend_close(backend);
}

static void check_trial(void **state)
{
    const struct trial *trial = *state;
    double expected[STEPS], found[STEPS];
    const int graphs = df_emulation_graphs(), launches = df_emulation_graph_launches();

    train(DF_DEVICE_CUDA, trial, found);
    assert_int_equal(df_emulation_graphs() - graphs, 3);
    assert_int_equal(df_emulation_graph_launches() - launches, (int)(2 * STEPS) - 3);
    train(DF_DEVICE_CPU, trial, expected);
    for (size_t step = 0; step < STEPS; step++) {
        if (!(fabs(found[step] - expected[step]) <= trial->tolerance * expected[step]))
            fail_msg("step %d: loss %.9g, on the CPU %.9g", (int)step, found[step], expected[step]);
    }
}

#define TRIAL(name, ...) TEST_ROW(#name, check_trial, (&(struct trial){__VA_ARGS__}))

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(dinov2_with_linear_decoder, DF_DINOV2, "linear", "fp32", 1.0, false, 1e-5),
        TRIAL(dinov2_with_fpn, DF_DINOV2, "fpn", "fp32", 1.0, false, 1e-3),
        /* the tables that are drawn for each step are the replayed step's too */
        TRIAL(dinov3_with_rescaled_rope, DF_DINOV3, "linear", "fp32", 2.0, true, 1e-5),
        TRIAL(dinov3_in_bf16, DF_DINOV3, "linear", "bf16", 1.0, false, 1e-2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
