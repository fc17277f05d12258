/* The count of a model's FLOP, which is that of the passes it makes, against the formulas of a transformer.
 */
#include "support/errors.h"

#include "dinoft/flops.h"

#define CLASSES 21
#define RANK    3

/* Products of one block's linear layers, forward; the backward pass through all of them costs the same. */
static double layers(const struct df_vit_config *vit, double tokens)
{
    const double parts = vit->ffn == DF_FFN_SWIGLU ? 3.0 : 2.0;
    return 2.0 * tokens * (double)vit->dim * (4.0 * (double)vit->dim + parts * (double)vit->ffn_hidden);
}

/* One product of N x N scores with a head's tokens, over all heads. */
static double scores(const struct df_vit_config *vit, double tokens)
{
    return 2.0 * tokens * tokens * (double)vit->dim;
}

static double forward(const struct df_vit_config *vit, double patches, double rank)
{
    const double tokens = patches + 1.0 + (double)vit->registers, dim = (double)vit->dim;
    const double block = layers(vit, tokens) + 2.0 * scores(vit, tokens) + 8.0 * tokens * dim * rank;
    return 2.0 * patches * 3.0 * (double)(vit->patch * vit->patch) * dim + (double)vit->depth * block;
}

/* Scores again, and the gradients of q, k, v and of the probabilities: five products. LoRA's own gradients
 * are twice its forward pass. The first block needs neither dk nor the gradient of its input. */
static double backward(const struct df_vit_config *vit, double patches, double rank)
{
    const double tokens = patches + 1.0 + (double)vit->registers, dim = (double)vit->dim;
    const double block = layers(vit, tokens) + 5.0 * scores(vit, tokens) + 16.0 * tokens * dim * rank;
    const double spared = scores(vit, tokens) + tokens * dim * (6.0 * dim + 4.0 * rank);
    return (double)vit->depth * block - spared;
}

static void check(const char *name, bool training, int64_t rank, bool recompute)
{
    struct df_vit_config vit;
    assert_int_equal(df_vit_config_for_hub_name(name, &vit), 0);
    const struct df_segmenter_options options = {.decoder = "linear",
                                                 .classes = CLASSES,
                                                 .rank = rank,
                                                 .max_batch = 8,
                                                 .height = 32 * vit.patch,
                                                 .width = 30 * vit.patch,
                                                 .training = training,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .recompute = recompute,
                                                 .rope_rescale = 2.0,
                                                 .std = {1, 1, 1}};
    const double patches = 32 * 30, head = 2.0 * patches * (double)vit.dim * CLASSES;
    const double folded = training ? (double)rank : 0.0; /* in evaluation LoRA is part of the weights */
    double flops, expected = forward(&vit, patches, folded) + head;

    if (training)
        expected += head;
    if (training && rank > 0)
        expected += head + backward(&vit, patches, folded);
    assert_works(df_segmenter_flops(&vit, &options, &flops) == 0);
    if (flops != expected)
        fail_msg("%s: %.0f FLOP, expected %.0f", name, flops, expected);
}

static void passes_do_what_formulas_say(void **state)
{
    static const char *const names[] = {"dinov2_vits14", "dinov2_vits14_reg", "dinov2_vitg14_reg",
                                        "dinov3_vits16", "dinov3_vitl16",     "dinov3_vit7b16"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        check(names[i], false, 0, false);
        check(names[i], false, RANK, false);
        check(names[i], true, 0, false);
        check(names[i], true, RANK, false);
        check(names[i], true, RANK, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(passes_do_what_formulas_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
