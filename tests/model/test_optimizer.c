/* The update of a training step: against PyTorch's AdamW, clipping and average; and steps of several parts.
 */
#include "model/model_support.h"

#include "src/model/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 6

static const struct {
    const char *name;
    enum df_parameter_kind kind;
    int ndim;
    int64_t shape[4];
} tensors[] = {
    {"w_a_000", DF_PARAMETER_LORA, 2, {2, 5}},
    {"w_b_000", DF_PARAMETER_LORA, 2, {5, 2}},
    {"decode_head.weight", DF_PARAMETER_DECODER, 4, {3, 5, 1, 1}},
    {"decode_head.bias", DF_PARAMETER_DECODER, 1, {3}},
};

#define TENSORS ((int)(sizeof tensors / sizeof tensors[0]))

struct update {
    struct df_backend *backend;
    struct df_arena arena;
    struct df_parameters parameters;
    struct df_optimizer optimizer;
    struct df_state *golden;
};

static const float *golden_of(const struct update *update, const char *what, const char *name)
{
    char key[96];

    snprintf(key, sizeof key, "%s.%s", what, name);
    return golden_floats(update->golden, key);
}

static void take_memory(struct update *update)
{
    df_parameters_plan(&update->parameters, &update->arena, true);
    optimizer_plan(&update->optimizer, &update->arena, false);
}

static void open_update(struct update *update, const struct df_optimizer_options *options)
{
    *update = (struct update){.backend = test_open_backend("fp32", 2),
                              .golden = fixture_read("optimizer/steps.safetensors")};
    assert_works(update->backend);
    for (int i = 0; i < TENSORS; i++)
        assert_int_equal(df_parameters_add(&update->parameters, tensors[i].name, tensors[i].kind,
                                           DF_INIT_ZERO, 1, tensors[i].ndim, tensors[i].shape),
                         0);
    update->optimizer = (struct df_optimizer){
        .options = *options, .backend = update->backend, .parameters = &update->parameters};
    df_arena_init(&update->arena, update->backend);
    take_memory(update);
    assert_int_equal(df_arena_commit(&update->arena), 0);
    take_memory(update);
    assert_int_equal(df_parameters_init(&update->parameters, update->backend, 1), 0);
    assert_int_equal(optimizer_start(&update->optimizer), 0);
    for (int i = 0; i < TENSORS; i++)
        upload_floats(update->backend, update->parameters.items[i].value,
                      golden_of(update, "start", tensors[i].name), (size_t)update->parameters.items[i].count);
}

static void close_update(struct update *update)
{
    optimizer_free(&update->optimizer);
    df_arena_free(&update->arena);
    df_parameters_free(&update->parameters);
    df_state_free(update->golden);
    df_backend_close(update->backend);
}

static void set_gradients(const struct update *update, int step)
{
    char what[32];

    snprintf(what, sizeof what, "gradient.%d", step);
    for (int i = 0; i < TENSORS; i++)
        upload_floats(update->backend, update->parameters.items[i].gradient,
                      golden_of(update, what, tensors[i].name), (size_t)update->parameters.items[i].count);
}

static void check_values(const struct update *update, const char *what)
{
    for (int i = 0; i < TENSORS; i++) {
        const struct df_parameter *parameter = &update->parameters.items[i];
        float *found = download_floats(update->backend, parameter->value, (size_t)parameter->count);
        assert_close(what, found, golden_of(update, what, parameter->name), (size_t)parameter->count, 1e-6);
        free(found);
    }
}

/* After each step: the norm, the values and, where there is one, the average in their place. */
static void check_steps(const char *setting, const struct df_optimizer_options *options)
{
    struct update update;
    struct df_step_outcome outcome;
    char what[32], average[32];

    open_update(&update, options);
    const float *rates = golden_floats(update.golden, "rates");
    for (int step = 0; step < STEPS; step++) {
        snprintf(what, sizeof what, "%s.%d", setting, step);
        snprintf(average, sizeof average, "%s.average.%d", setting, step);
        set_gradients(&update, step);
        assert_int_equal(optimizer_update(&update.optimizer, (double)rates[step]), 0);
        assert_int_equal(optimizer_outcome(&update.optimizer, &outcome), 0);
        assert_close(what, &outcome.scale.norm, golden_of(&update, what, "norm"), 1, 1e-6);
        check_values(&update, what);
        assert_int_equal(optimizer_use_average(&update.optimizer, true), 0);
        check_values(&update, options->ema > 0.0 ? average : what);
        assert_int_equal(optimizer_use_average(&update.optimizer, false), 0);
        check_values(&update, what);
    }
    close_update(&update);
}

static void defaults_are_those_of_pytorch(void **state)
{
    const struct df_optimizer_options options = DF_OPTIMIZER_DEFAULTS;
    check_steps("plain", &options);
}

static void groups_clipping_and_average_are_those_of_pytorch(void **state)
{
    const struct df_optimizer_options options = {
        .lr_head = 2.0, .lr_lora = 0.5, .weight_decay = 0.05, .grad_clip = 1.0, .ema = 0.9};
    check_steps("all", &options);
}

/* --- steps of several parts --- */

#define BATCH  4
#define HEIGHT 64
#define WIDTH  80

struct batch {
    float image[BATCH * 3 * HEIGHT * WIDTH];
    uint8_t labels[BATCH * HEIGHT * WIDTH];
};

/* Images have labels of different number: the first many, the last none. */
static void fill(struct batch *batch)
{
    struct df_rng rng;

    df_rng_seed(&rng, 21, 0);
    for (int i = 0; i < BATCH * 3 * HEIGHT * WIDTH; i++)
        batch->image[i] = (float)df_rng_double(&rng);
    for (int i = 0; i < BATCH * HEIGHT * WIDTH; i++) {
        const int image = i / (HEIGHT * WIDTH), row = i / WIDTH % HEIGHT;
        batch->labels[i] = row < HEIGHT / (image + 1) && image < BATCH - 1 ? (uint8_t)(i / 500 % 5) : 255;
    }
}

static struct df_segmenter *open_model(struct df_backend *backend, int64_t parts)
{
    const struct df_segmenter_options options = {
        .decoder = "linear",
        .classes = 5,
        .rank = 2,
        .max_batch = BATCH / parts,
        .height = HEIGHT,
        .width = WIDTH,
        .training = true,
        .accumulates = parts > 1,
        .optimizer = {.lr_head = 1.0, .lr_lora = 1.0, .weight_decay = 0.01, .grad_clip = 0.5, .ema = 0.5},
        .rope_rescale = 2.0,
        .std = {1, 1, 1}};
    struct df_segmenter *segmenter = open_segmenter(backend, "dinov3_tiny/backbone.pth", &options, NULL);

    scatter_parameters(segmenter);
    return segmenter;
}

static void train(struct df_segmenter *segmenter, const struct batch *batch, int64_t parts, int steps,
                  struct df_step_result results[])
{
    const int64_t count = BATCH / parts;
    struct df_rng rng;

    df_rng_seed(&rng, 3, 0);
    for (int step = 0; step < steps; step++) {
        for (int64_t part = 0; part < parts; part++) {
            const int64_t first = part * count * HEIGHT * WIDTH;
            load_image(segmenter, count, batch->image + 3 * first, batch->labels + first);
            assert_int_equal(df_segmenter_train_part(segmenter, count, &rng), 0);
        }
        assert_int_equal(df_segmenter_update(segmenter, 1e-3), 0);
        /* As who keeps a device busy: the result before. */
        if (step > 0)
            assert_int_equal(df_segmenter_step_result(segmenter, &results[step - 1]), 0);
    }
    assert_int_equal(df_segmenter_step_result(segmenter, &results[steps - 1]), 0);
}

#define PART_STEPS 3

static void parts_are_the_whole_batch(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 2);
    struct batch *batch = malloc(sizeof *batch);
    struct df_step_result whole[PART_STEPS], parts[PART_STEPS];

    assert_non_null(batch);
    fill(batch);
    for (int64_t n = 2; n <= BATCH; n *= 2) {
        struct df_segmenter *one = open_model(backend, 1), *several = open_model(backend, n);
        const size_t count = (size_t)df_parameters_length(&one->parameters);
        train(one, batch, 1, PART_STEPS, whole);
        train(several, batch, n, PART_STEPS, parts);
        for (int step = 0; step < PART_STEPS; step++) {
            assert_int_equal(parts[step].counted, whole[step].counted);
            assert_true(fabs(parts[step].loss - whole[step].loss) <= 2e-6 * whole[step].loss);
            assert_true(fabs(parts[step].gradient_norm - whole[step].gradient_norm) <=
                        1e-4 * whole[step].gradient_norm);
        }
        assert_int_equal(df_segmenter_use_average(one, true), 0);
        assert_int_equal(df_segmenter_use_average(several, true), 0);
        float *expected = download_floats(backend, one->parameters.values, count);
        float *found = download_floats(backend, several->parameters.values, count);
        assert_close("averages", found, expected, count, 2e-5);
        assert_true(several->arena.peak < one->arena.peak);
        free(expected);
        free(found);
        df_segmenter_free(one);
        df_segmenter_free(several);
    }
    free(batch);
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_pytorch),
        cmocka_unit_test(groups_clipping_and_average_are_those_of_pytorch),
        cmocka_unit_test(parts_are_the_whole_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
