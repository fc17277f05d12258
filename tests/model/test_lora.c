/* LoRA in some blocks and layers: the gradients, and where the backward pass ends. */
#include "model/model_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEIGHT  112
#define WIDTH   144
#define BATCH   2
#define CLASSES 5
#define RANK    3

struct trial {
    const char *backbone, *decoder, *precision;
    int64_t patch;
    const char *blocks;
    bool recompute;
};

static struct df_segmenter *open_model(const struct trial *trial, struct df_backend *backend,
                                       const char *blocks)
{
    struct df_segmenter_options options = {
        .decoder = trial->decoder,
        .classes = CLASSES,
        .rank = RANK,
        .max_batch = BATCH,
        .height = HEIGHT - HEIGHT % trial->patch,
        .width = WIDTH - WIDTH % trial->patch,
        .training = true,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .recompute = trial->recompute,
        .rope_rescale = 2.0,
        .std = {1, 1, 1},
    };
    const int64_t depth = 4;

    assert_works(df_lora_blocks_read(blocks, depth, &options.lora) == 0);
    struct df_segmenter *segmenter = open_segmenter(backend, trial->backbone, &options, NULL);
    assert_int_equal(df_segmenter_blocks(segmenter), depth);
    return segmenter;
}

static void load_batch(struct df_segmenter *segmenter)
{
    static uint8_t pixels[3 * BATCH * HEIGHT * WIDTH], labels[BATCH * HEIGHT * WIDTH];
    struct df_rng rng;

    df_rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)df_rng_below(&rng, 256);
    for (size_t i = 0; i < sizeof labels; i++)
        labels[i] = i / 50 % 9 == 0 ? 255 : (uint8_t)(i / 700 % CLASSES);
    assert_int_equal(df_segmenter_load_pixels(segmenter, BATCH, pixels, labels), 0);
}

static const struct df_parameter *find(const struct df_segmenter *segmenter, const char *name)
{
    for (int i = 0; i < segmenter->parameters.count; i++) {
        if (strcmp(segmenter->parameters.items[i].name, name) == 0)
            return &segmenter->parameters.items[i];
    }
    fail_msg("there is no %s", name);
    return NULL;
}

/* Values that are no zeros, drawn by name, for what `trained` trains. */
static void set_values(struct df_segmenter *segmenter, const struct df_segmenter *trained)
{
    for (int i = 0; i < trained->parameters.count; i++) {
        const struct df_parameter *parameter = &trained->parameters.items[i];
        struct df_rng rng;
        if (!parameter->gradient)
            continue;
        float *values = malloc((size_t)parameter->count * sizeof *values);
        df_rng_seed(&rng, 12, df_hash_text(parameter->name));
        for (int64_t k = 0; k < parameter->count; k++)
            values[k] = 0.05f * (float)df_rng_normal(&rng);
        upload_floats(segmenter->backend, find(segmenter, parameter->name)->value, values,
                      (size_t)parameter->count);
        free(values);
    }
}

static double pass(struct df_segmenter *segmenter)
{
    struct df_rng rng;
    double sum;
    int64_t count;

    df_rng_seed(&rng, 4, 0);
    load_batch(segmenter);
    assert_int_equal(df_segmenter_forward(segmenter, BATCH, true, &rng), 0);
    assert_int_equal(df_segmenter_loss(segmenter, BATCH, true, false, &sum, &count), 0);
    assert_int_equal(df_segmenter_backward(segmenter, BATCH), 0);
    return sum;
}

/* The same gradients, to the bit, as with LoRA in all blocks whose B is 0 in those that are left out. */
static void check_blocks(void **state)
{
    const struct trial *trial = *state;
    struct df_backend *backend = open_backend(trial->precision);
    struct df_segmenter *all = open_model(trial, backend, "all"),
                        *some = open_model(trial, backend, trial->blocks);
    int trained = 0;

    set_values(all, some);
    set_values(some, some);
    assert_true(pass(all) == pass(some));
    for (int i = 0; i < some->parameters.count; i++) {
        const struct df_parameter *mine = &some->parameters.items[i], *its = find(all, mine->name);
        const size_t count = (size_t)mine->count;
        if (!mine->gradient)
            continue;
        float *found = download_floats(backend, mine->gradient, count),
              *expected = download_floats(backend, its->gradient, count);
        assert_memory_equal(found, expected, count * sizeof *found);
        free(found);
        free(expected);
        trained++;
    }
    assert_true(trained > 4);
    assert_int_equal(some->parameters.count, all->parameters.count);
    assert_true(some->parameters.trained < all->parameters.trained);
    assert_true(some->arena.peak < all->arena.peak);
    df_segmenter_free(all);
    df_segmenter_free(some);
    df_backend_close(backend);
}

static void blocks_are_read_and_written(void **state)
{
    static const char *const same[] = {"all", "0", "3", "1,2", "0,1,3"}, *const wrong[] = {
                                                                             "",       "4",     "last:0",
                                                                             "last:5", "last:", "last:1,2",
                                                                             "1,",     "1,1",   "-1",
                                                                             "a",      "0x1",   " 1",
                                                                             "1-3"};
    struct df_lora_parts parts = {0};
    char text[DF_LORA_BLOCKS_TEXT];

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_works(df_lora_blocks_read(same[i], 4, &parts) == 0);
        assert_string_equal(df_lora_blocks_text(&parts, 4, text), same[i]);
    }
    assert_works(df_lora_blocks_read("last:2", 4, &parts) == 0);
    assert_string_equal(df_lora_blocks_text(&parts, 4, text), "2,3");
    assert_works(df_lora_blocks_read("last:4", 4, &parts) == 0);
    assert_string_equal(df_lora_blocks_text(&parts, 4, text), "all");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(df_lora_blocks_read(wrong[i], 4, &parts), -1);
}

#define BLOCKS(name, ...) TEST_ROW(#name, check_blocks, (&(struct trial){__VA_ARGS__}))
#define V2                "dinov2_tiny_reg/backbone.pth"
#define V3                "dinov3_tiny/backbone.pth"

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_read_and_written),
        BLOCKS(the_last_block, V2, "linear", "fp32", 14, "last:1", false),
        BLOCKS(the_last_three, V3, "linear", "fp32", 16, "last:3", false),
        BLOCKS(one_in_the_middle, V2, "linear", "fp32", 14, "2", false),
        BLOCKS(with_gaps, V3, "fpn", "fp32", 16, "1,3", false),
        BLOCKS(recomputing, V3, "fpn", "fp32", 16, "1,3", true),
        BLOCKS(last_two_in_bf16, V2, "fpn", "bf16", 14, "last:2", false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
