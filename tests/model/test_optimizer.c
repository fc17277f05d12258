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
    {"w_a_000", DF_PARAMETER_LORA_A, 2, {2, 5}},
    {"w_b_000", DF_PARAMETER_LORA_B, 2, {5, 2}},
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

static void open_update(struct update *update, const char *precision,
                        const struct df_optimizer_options *options)
{
    *update = (struct update){.backend = open_backend(precision),
                              .golden = fixture_read("optimizer/steps.safetensors")};
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
    assert_int_equal(
        df_parameters_start(&update->parameters, update->backend, &(struct df_first_values){.seed = 1}), 0);
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
static void check_steps(const char *precision, const char *setting,
                        const struct df_optimizer_options *options)
{
    struct update update;
    struct df_step_outcome outcome;
    char what[32], average[32];

    open_update(&update, precision, options);
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

/* What a state of a run holds goes back to the bits, and a damaged one is refused. */
static void moments_are_read_again(void **state)
{
    const struct df_optimizer_options options = DF_OPTIMIZER_DEFAULTS;
    struct update update;
    struct df_state *stored = df_state_new();

    open_update(&update, "fp32", &options);
    const struct df_parameters *parameters = &update.parameters;
    set_gradients(&update, 0);
    assert_int_equal(optimizer_update(&update.optimizer, 1e-3), 0);
    assert_int_equal(df_parameters_store_array(parameters, update.backend, parameters->m, "m", stored), 0);
    assert_int_equal(df_parameters_load_array(parameters, update.backend, parameters->v, "m", stored), 0);
    const size_t length = (size_t)df_parameters_length(parameters);
    float *before = download_floats(update.backend, parameters->m, length),
          *after = download_floats(update.backend, parameters->v, length);
    assert_memory_equal(before, after, length * sizeof *before);
    free(before);
    free(after);
    const struct df_entry *entry = df_state_find(stored, "m.decode_head.bias");
    ((float *)entry->owned)[1] = NAN;
    assert_int_equal(df_parameters_load_array(parameters, update.backend, parameters->v, "m", stored), -1);
    assert_error_has("m.decode_head.bias");
    df_state_free(stored);
    close_update(&update);
}

static void defaults_are_those_of_pytorch(void **state)
{
    const struct df_optimizer_options options = DF_OPTIMIZER_DEFAULTS;
    check_steps("fp32", "plain", &options);
}

static void check_all(const char *precision)
{
    const struct df_optimizer_options options = {.lr_head = 2.0,
                                                 .lr_lora = 0.5,
                                                 .lora_scale = 1.0,
                                                 .lora_plus = 1.0,
                                                 .weight_decay = 0.05,
                                                 .grad_clip = 1.0,
                                                 .ema = 0.9};
    check_steps(precision, "all", &options);
}

static void lora_with_a_scale_is_that_of_pytorch(void **state)
{
    struct df_optimizer_options options = DF_OPTIMIZER_DEFAULTS;

    options.weight_decay = 0.05;
    options.lora_scale = 2.5;
    options.lora_plus = 4.0;
    check_steps("fp32", "scaled", &options);
}

static void groups_clipping_and_average_are_those_of_pytorch(void **state)
{
    check_all("fp32");
}

/* What is trained is float32 there too. */
static void the_same_beside_bf16(void **state)
{
    check_all("bf16");
}

/* --- steps of several parts --- */

#define BATCH      4
#define PART_STEPS 3

struct trial {
    const char *decoder, *precision;
    int64_t height, width;
    int64_t parts;
    double loss, norm, value; /* tolerances, relative */
    double dropout;
    struct df_loss_options minimised;
};

struct batch {
    float *image;    /* [BATCH, 3, H, W] */
    uint8_t *labels; /* [BATCH, H, W] */
};

/* Images have labels of different number: the first many, the last none. For BatchNorm the second half
 * repeats the first, so that a part has the statistics of the whole. */
static struct batch make_batch(const struct trial *trial)
{
    const int64_t pixels = trial->height * trial->width;
    const bool repeats = strcmp(trial->decoder, "fpn") == 0;
    struct batch batch = {malloc((size_t)(BATCH * 3 * pixels) * sizeof(float)),
                          malloc((size_t)(BATCH * pixels))};
    struct df_rng rng;

    assert_true(batch.image && batch.labels);
    df_rng_seed(&rng, 21, 0);
    for (int64_t i = 0; i < BATCH * 3 * pixels; i++)
        batch.image[i] = (float)df_rng_double(&rng);
    for (int64_t i = 0; i < BATCH * pixels; i++) {
        const int64_t image = i / pixels, row = i / trial->width % trial->height;
        const bool labelled = row < trial->height / (image + 1) && image < BATCH - 1;
        batch.labels[i] = labelled ? (uint8_t)(i / 500 % 5) : 255;
    }
    if (!repeats)
        return batch;
    memcpy(batch.image + BATCH / 2 * 3 * pixels, batch.image,
           (size_t)(BATCH / 2 * 3 * pixels) * sizeof(float));
    memcpy(batch.labels + BATCH / 2 * pixels, batch.labels, (size_t)(BATCH / 2 * pixels));
    return batch;
}

static struct df_segmenter *open_model(struct df_backend *backend, const struct trial *trial, int64_t parts)
{
    const struct df_segmenter_options options = {.decoder = trial->decoder,
                                                 .head = {.dropout = trial->dropout},
                                                 .classes = 5,
                                                 .rank = 2,
                                                 .loss = trial->minimised,
                                                 .max_batch = BATCH / parts,
                                                 .height = trial->height,
                                                 .width = trial->width,
                                                 .training = true,
                                                 .accumulates = parts > 1,
                                                 .optimizer = {.lr_head = 1.0,
                                                               .lr_lora = 1.0,
                                                               .lora_scale = 1.0,
                                                               .lora_plus = 1.0,
                                                               .weight_decay = 0.01,
                                                               .grad_clip = 0.5,
                                                               .ema = 0.5},
                                                 .rope_rescale = 2.0,
                                                 .std = {1, 1, 1}};
    struct df_segmenter *segmenter = open_segmenter(backend, "dinov3_tiny/backbone.pth", &options, NULL);

    scatter_parameters(segmenter);
    return segmenter;
}

static void train(struct df_segmenter *segmenter, const struct batch *batch, int64_t parts,
                  struct df_step_result results[PART_STEPS])
{
    const int64_t count = BATCH / parts;
    struct df_rng rng;

    df_rng_seed(&rng, 3, 0);
    for (int step = 0; step < PART_STEPS; step++) {
        for (int64_t part = 0; part < parts; part++) {
            const int64_t first = part * segmenter_pixels(segmenter, count);
            load_image(segmenter, count, batch->image + 3 * first, batch->labels + first);
            assert_int_equal(df_segmenter_train_part(segmenter, count, &rng), 0);
        }
        assert_int_equal(df_segmenter_update(segmenter, 1e-3), 0);
        /* As who keeps a device busy: the result before. */
        if (step > 0)
            assert_int_equal(df_segmenter_step_result(segmenter, &results[step - 1]), 0);
    }
    assert_int_equal(df_segmenter_step_result(segmenter, &results[PART_STEPS - 1]), 0);
}

static void assert_near(const char *what, double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("%s: %.9g instead of %.9g", what, found, expected);
}

/* A constant in front of BatchNorm: its gradient is what rounding leaves, and AdamW makes whole steps of
 * that. */
static bool follows_rounding(const struct df_parameter *parameter)
{
    return strncmp(parameter->name, "inter_conv", 10) == 0 && parameter->ndim == 1;
}

static void compare_values(const struct df_segmenter *found, const struct df_segmenter *expected,
                           double tolerance)
{
    for (int i = 0; i < expected->parameters.count; i++) {
        const struct df_parameter *theirs = &expected->parameters.items[i];
        const struct df_parameter *ours = &found->parameters.items[i];
        const size_t count = (size_t)theirs->count;
        if (!theirs->gradient || follows_rounding(theirs))
            continue;
        float *want = download_floats(expected->backend, theirs->value, count);
        float *got = download_floats(found->backend, ours->value, count);
        assert_close(theirs->name, got, want, count, tolerance);
        free(want);
        free(got);
    }
}

/* BatchNorm's running statistics are no part of the average. */
static void use_average(struct df_segmenter *segmenter)
{
    const struct df_parameters *parameters = &segmenter->parameters;
    const size_t count = (size_t)parameters->buffered, trained = (size_t)df_parameters_length(parameters);
    float *raw = download_floats(segmenter->backend, parameters->buffers, count);
    float *values = download_floats(segmenter->backend, parameters->values, trained);

    assert_int_equal(df_segmenter_use_average(segmenter, true), 0);
    float *buffers = download_floats(segmenter->backend, parameters->buffers, count);
    float *average = download_floats(segmenter->backend, parameters->values, trained);
    assert_memory_equal(raw, buffers, count * sizeof(float));
    assert_memory_not_equal(values, average, trained * sizeof(float));
    free(raw);
    free(values);
    free(buffers);
    free(average);
}

static void parts_are_the_whole_batch(void **state)
{
    const struct trial *trial = *state;
    struct df_backend *backend = open_backend(trial->precision);
    struct batch batch = make_batch(trial);
    struct df_step_result whole[PART_STEPS], parts[PART_STEPS];
    struct df_segmenter *one = open_model(backend, trial, 1);
    struct df_segmenter *several = open_model(backend, trial, trial->parts);

    train(one, &batch, 1, whole);
    train(several, &batch, trial->parts, parts);
    for (int step = 0; step < PART_STEPS; step++) {
        assert_int_equal(parts[step].counted, whole[step].counted);
        assert_near("loss", parts[step].loss, whole[step].loss, trial->loss);
        assert_near("norm", parts[step].gradient_norm, whole[step].gradient_norm, trial->norm);
    }
    use_average(one);
    use_average(several);
    compare_values(several, one, trial->value);
    assert_true(several->arena.peak < one->arena.peak);
    df_segmenter_free(one);
    df_segmenter_free(several);
    free(batch.image);
    free(batch.labels);
    df_backend_close(backend);
}

#define PLAIN                                                                                                \
    {                                                                                                        \
        .weighted = false                                                                                    \
    }
#define TRIAL(name, ...) TEST_ROW(#name, parts_are_the_whole_batch, (&(struct trial){__VA_ARGS__}))

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_read_again),
        cmocka_unit_test(defaults_are_those_of_pytorch),
        cmocka_unit_test(lora_with_a_scale_is_that_of_pytorch),
        cmocka_unit_test(groups_clipping_and_average_are_those_of_pytorch),
        cmocka_unit_test(the_same_beside_bf16),
        TRIAL(two_parts, "linear", "fp32", 64, 80, 2, 2e-6, 1e-4, 2e-5, 0.0, PLAIN),
        TRIAL(four_parts, "linear", "fp32", 64, 80, 4, 2e-6, 1e-4, 2e-5, 0.0, PLAIN),
        TRIAL(two_parts_with_dropout, "multi", "fp32", 64, 80, 2, 2e-6, 1e-4, 2e-5, 0.3, PLAIN),
        /* AdamW divides by the gradient's size: where that is nearly 0, values may go either way */
        TRIAL(two_parts_in_bf16, "linear", "bf16", 64, 80, 2, 3e-4, 2e-3, 3e-2, 0.0, PLAIN),
        TRIAL(two_parts_of_the_fpn, "fpn", "fp32", 112, 112, 2, 1e-6, 1e-3, 1e-3, 0.0, PLAIN),
        /* Parts whose pixels weigh differently. */
        TRIAL(two_parts_of_weighted_classes, "linear", "fp32", 64, 80, 2, 2e-6, 1e-4, 2e-5, 0.0,
              {.smoothing = 0.2, .weighted = true, .class_weights = {0.0f, 0.1f, 3.0f, 1.0f, 10.0f}}),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
