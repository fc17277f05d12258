/* LoRA in some blocks and layers: the gradients, and where the backward pass ends. */
#include "model/model_support.h"

#include "src/model/vit_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEIGHT  112
#define WIDTH   112
#define BATCH   2
#define CLASSES 5
#define RANK    3

#define MOST_BLOCKS 8 /* of a fixture */

#define V2         "dinov2_tiny_reg/backbone.pth"
#define V3         "dinov3_tiny/backbone.pth"
#define V2_SWIGLU  "dinov2_tiny_swiglu_reg/backbone.pth"
#define V3_SWIGLU  "dinov3_tiny_swiglu/backbone.pth"
#define MLP_ALL    "q,k,v,proj,fc1,fc2"
#define SWIGLU_ALL "q,k,v,proj,w1,w2,w3"

struct trial {
    const char *backbone, *decoder, *precision;
    int64_t patch;
    const char *targets, *blocks;
    bool recompute;
    double dropout;
    bool dora;
};

static struct df_vit_config config_of(const char *backbone)
{
    struct df_vit_config config;
    struct df_state *weights = df_backbone_read(fixture_path(backbone), &config);

    assert_works(weights);
    df_state_free(weights);
    return config;
}

static struct df_lora_parts parts_of(const char *backbone, const char *targets, const char *blocks, bool dora)
{
    const struct df_vit_config config = config_of(backbone);
    struct df_lora_parts parts = {.dora = dora};

    assert_works(df_lora_targets_read(targets, config.ffn, &parts.targets) == 0);
    assert_works(df_lora_blocks_read(blocks, config.depth, &parts) == 0);
    return parts;
}

static struct df_segmenter *open_model(const struct trial *trial, struct df_backend *backend,
                                       const char *blocks)
{
    const struct df_segmenter_options options = {
        .decoder = trial->decoder,
        .classes = CLASSES,
        .rank = RANK,
        .lora = parts_of(trial->backbone, trial->targets, blocks, trial->dora),
        .max_batch = BATCH,
        .height = HEIGHT - HEIGHT % trial->patch,
        .width = WIDTH - WIDTH % trial->patch,
        .training = true,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .recompute = trial->recompute,
        .lora_dropout = trial->dropout,
        .rope_rescale = 2.0,
        .std = {1, 1, 1},
    };
    return open_segmenter(backend, trial->backbone, &options, NULL);
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
        const bool is_length = parameter->kind == DF_PARAMETER_LORA_M;
        float *values = download_floats(segmenter->backend, find(segmenter, parameter->name)->value,
                                        (size_t)parameter->count);
        df_rng_seed(&rng, 12, df_hash_text(parameter->name));
        for (int64_t k = 0; k < parameter->count; k++) {
            const float value = 0.05f * (float)df_rng_normal(&rng);
            values[k] = is_length ? values[k] * (1.0f + 4.0f * value) : value;
        }
        upload_floats(segmenter->backend, find(segmenter, parameter->name)->value, values,
                      (size_t)parameter->count);
        free(values);
    }
}

static double forward(struct df_segmenter *segmenter)
{
    struct df_rng rng;
    double sum;
    int64_t count;

    df_rng_seed(&rng, 4, 0);
    assert_int_equal(df_segmenter_forward(segmenter, BATCH, true, &rng), 0);
    assert_int_equal(df_segmenter_loss(segmenter, BATCH, true, false, &sum, &count), 0);
    return sum / (double)count;
}

static double pass(struct df_segmenter *segmenter)
{
    load_batch(segmenter);
    const double loss = forward(segmenter);
    assert_int_equal(df_segmenter_backward(segmenter, BATCH), 0);
    return loss;
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
    assert_true(trained >= 4);
    assert_true(some->parameters.trained < all->parameters.trained);
    assert_true(some->arena.peak < all->arena.peak);
    df_segmenter_free(all);
    df_segmenter_free(some);
    df_backend_close(backend);
}

/* DoRA's factors, which a gradient of A or B takes for constants. */
struct held {
    float *factors[MOST_BLOCKS][DF_LORA_TARGETS];
};

typedef void visit_magnitude(const struct df_segmenter *segmenter, const struct df_parameter *m,
                             const float *factors, float **held);

static void each_magnitude(struct df_segmenter *segmenter, visit_magnitude *visit_one, struct held *held)
{
    assert_int_equal(vit_dora_find_factors(segmenter->vit), 0);
    for (int64_t block = 0; block < segmenter->config.depth; block++) {
        for (int i = 0; i < DF_LORA_TARGETS; i++) {
            const struct df_lora_place place = df_lora_place((enum df_lora_target)i, &segmenter->config);
            const int m = segmenter->lora.blocks[block].m[i];
            if (m < 0)
                continue;
            float *factors = download_floats(
                segmenter->backend, segmenter->vit->blocks[block].dora[place.layer].factors + place.first_row,
                (size_t)place.out);
            visit_one(segmenter, &segmenter->parameters.items[m], factors, &held->factors[block][i]);
            free(factors);
        }
    }
}

static void hold(const struct df_segmenter *segmenter, const struct df_parameter *m, const float *factors,
                 float **held)
{
    (void)segmenter;
    *held = malloc((size_t)m->count * sizeof **held);
    memcpy(*held, factors, (size_t)m->count * sizeof **held);
}

static void change_to_held(const struct df_segmenter *segmenter, const struct df_parameter *m,
                           const float *factors, float **held)
{
    float *values = download_floats(segmenter->backend, m->value, (size_t)m->count);

    for (int64_t i = 0; i < m->count; i++)
        values[i] *= (*held)[i] / factors[i];
    upload_floats(segmenter->backend, m->value, values, (size_t)m->count);
    free(values);
}

static void let_go(const struct df_segmenter *segmenter, const struct df_parameter *m, const float *factors,
                   float **held)
{
    (void)segmenter;
    (void)m;
    (void)factors;
    free(*held);
}

/* The loss along a direction of one tensor: its slope, and what the gradient says. */
static void check_slope(struct df_segmenter *segmenter, const struct df_parameter *parameter,
                        struct held *held)
{
    const size_t length_of_all = (size_t)df_parameters_length(&segmenter->parameters);
    float *all = download_floats(segmenter->backend, segmenter->parameters.values, length_of_all);
    const size_t count = (size_t)parameter->count;
    float *at = download_floats(segmenter->backend, parameter->value, count),
          *gradient = download_floats(segmenter->backend, parameter->gradient, count),
          *moved = malloc(count * sizeof *moved);
    double losses[2], expected = 0.0, length = 0.0;
    struct df_rng rng;

    for (size_t i = 0; i < count; i++)
        length += (double)gradient[i] * (double)gradient[i];
    for (int side = 0; side < 2; side++) {
        df_rng_seed(&rng, 8, 0);
        expected = 0.0;
        for (size_t i = 0; i < count; i++) {
            /* Half along the gradient, half across, so that the slope is not small. */
            const double step =
                0.002 * (df_rng_normal(&rng) + 2.0 * (double)gradient[i] * sqrt((double)count / length));
            moved[i] = at[i] + (float)(side ? step : -step);
            expected += (double)(moved[i] - at[i]) * (double)gradient[i];
        }
        upload_floats(segmenter->backend, parameter->value, moved, count);
        if (parameter->kind != DF_PARAMETER_LORA_M)
            each_magnitude(segmenter, change_to_held, held);
        losses[side] = forward(segmenter);
        upload_floats(segmenter->backend, segmenter->parameters.values, all, length_of_all);
    }
    const double found = (losses[1] - losses[0]) / 2.0;
    if (!(fabs(found - expected) <= 0.01 * fabs(expected) + 1e-6))
        fail_msg("%s: the loss changes by %g, its gradient says %g", parameter->name, found, expected);
    free(all);
    free(at);
    free(gradient);
    free(moved);
}

static void gradients_are_slopes(void **state)
{
    const struct trial *trial = *state;

    if (!test_on_cpu()) { /* the layers' gradients are compared with PyTorch's */
        print_message("skipped: many passes, for an emulated device\n");
        skip();
    }
    struct df_backend *backend = open_backend("fp32");
    struct df_segmenter *segmenter = open_model(trial, backend, trial->blocks);

    struct held held;

    set_values(segmenter, segmenter);
    pass(segmenter);
    each_magnitude(segmenter, hold, &held);
    for (int i = 0; i < segmenter->parameters.count; i++) {
        const struct df_parameter *parameter = &segmenter->parameters.items[i];
        if (parameter->kind <= DF_PARAMETER_LORA_M)
            check_slope(segmenter, parameter, &held);
    }
    each_magnitude(segmenter, let_go, &held);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

static void recomputing_changes_no_bit(void **state)
{
    struct trial trial = *(const struct trial *)*state;
    struct df_backend *backend = open_backend(trial.precision);
    float *gradients[2];
    size_t bytes = 0;

    for (int i = 0; i < 2; i++) {
        trial.recompute = i == 1;
        struct df_segmenter *segmenter = open_model(&trial, backend, trial.blocks);
        const size_t length = (size_t)df_parameters_length(&segmenter->parameters);
        set_values(segmenter, segmenter);
        pass(segmenter);
        gradients[i] = download_floats(backend, segmenter->parameters.gradients, length);
        bytes = length * sizeof *gradients[i];
        df_segmenter_free(segmenter);
    }
    assert_memory_equal(gradients[0], gradients[1], bytes);
    free(gradients[0]);
    free(gradients[1]);
    df_backend_close(backend);
}

/* How far bfloat16's factors are from float32's, against these. */
static void note_distance(const struct df_segmenter *segmenter, const struct df_parameter *m,
                          const float *factors, float **held)
{
    (void)segmenter;
    for (int64_t i = 0; i < m->count; i++)
        if (!(fabsf(factors[i] - (*held)[i]) <= 5e-4f * fabsf((*held)[i])))
            fail_msg("%s: factor %d is %g, and %g in float32", m->name, (int)i, (double)factors[i],
                     (double)(*held)[i]);
}

/* A row is as long in bfloat16: its length is that of the float32 weights, and only A W^T is rounded. */
static void bf16_has_the_same_lengths(void **state)
{
    const char *const precisions[] = {"fp32", "bf16"};
    struct held held;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct trial trial = {V2, "linear", precisions[i], 14, MLP_ALL, "all", false, 0.0, true};
        struct df_backend *backend = open_backend(trial.precision);
        struct df_segmenter *segmenter = open_model(&trial, backend, trial.blocks);
        set_values(segmenter, segmenter);
        each_magnitude(segmenter, i == 0 ? hold : note_distance, &held);
        if (i == 1)
            each_magnitude(segmenter, let_go, &held);
        df_segmenter_free(segmenter);
        df_backend_close(backend);
    }
}

/* Each element is dropped as often as was asked for, in other places at each step; an evaluation drops none.
 */
static void dropout_is_of_the_step(void **state)
{
    const struct trial trial = {
        "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, "q,v", "all", false, 0.5, false};
    struct df_backend *backend = open_backend(trial.precision);
    struct df_segmenter *segmenter = open_model(&trial, backend, trial.blocks);
    const size_t count = (size_t)(BATCH * segmenter->vit->tokens * segmenter->config.dim);
    size_t zeros = 0;
    double losses[3];

    set_values(segmenter, segmenter);
    load_batch(segmenter);
    for (int i = 0; i < 3; i++) {
        segmenter->optimizer.steps = i % 2;
        losses[i] = forward(segmenter);
    }
    assert_true(losses[0] == losses[2] && losses[0] != losses[1]);
    assert_int_equal(df_vit_backward(segmenter->vit, BATCH, (const float *const *)segmenter->dfeatures), 0);
    float *normed = download_floats(backend, segmenter->vit->scratch.normed, count); /* the first block's */
    for (size_t i = 0; i < count; i++)
        zeros += normed[i] == 0.0f;
    assert_in_range(zeros, (size_t)(0.49 * (double)count), (size_t)(0.51 * (double)count));
    free(normed);
    double sums[2];
    for (int i = 0; i < 2; i++) {
        segmenter->optimizer.steps = i;
        assert_int_equal(df_segmenter_forward(segmenter, BATCH, false, NULL), 0);
        assert_int_equal(df_segmenter_loss(segmenter, BATCH, false, false, &sums[i], &(int64_t){0}), 0);
    }
    assert_true(sums[0] == sums[1]);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

/* A step of two parts drops what the same step drops in one. */
static void dropout_is_that_of_the_image(void **state)
{
    const struct trial trial = {
        "dinov2_tiny_reg/backbone.pth", "linear", "fp32", 14, "q,v", "all", false, 0.5, false};
    struct df_backend *backend = open_backend(trial.precision);
    struct df_segmenter *segmenter = open_model(&trial, backend, trial.blocks);
    const int64_t rows = segmenter->vit->tokens, cols = segmenter->config.dim;
    const size_t count = (size_t)(BATCH * rows * cols);
    float *ones = malloc(count * sizeof *ones), *whole, *half;

    for (size_t i = 0; i < count; i++)
        ones[i] = 1.0f;
    upload_floats(backend, segmenter->vit->scratch.normed, ones, count);
    segmenter->vit->drops = true;
    struct df_matrix x = vit_act(segmenter->vit, segmenter->vit->scratch.normed, BATCH * rows, cols);
    assert_int_equal(df_vit_draw_dropout(segmenter->vit, 7, 0), 0);
    assert_int_equal(vit_drop(segmenter->vit, 1, DF_LORA_IN_QKV, &x, x.data), 0);
    whole = download_floats(backend, x.data, count);
    upload_floats(backend, segmenter->vit->scratch.normed, ones, count);
    x.rows = rows;
    assert_int_equal(df_vit_draw_dropout(segmenter->vit, 7, 1), 0);
    assert_int_equal(vit_drop(segmenter->vit, 1, DF_LORA_IN_QKV, &x, x.data), 0);
    half = download_floats(backend, x.data, (size_t)(rows * cols));
    assert_memory_equal(half, whole + rows * cols, (size_t)(rows * cols) * sizeof *half);
    assert_memory_not_equal(half, whole, (size_t)(rows * cols) * sizeof *half);
    free(ones);
    free(whole);
    free(half);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

/* --- against PyTorch: tests/fixtures/lora --- */

static float *pattern(size_t count, size_t factor, size_t shift, size_t modulus, float divisor)
{
    float *values = malloc(count * sizeof *values);

    for (size_t k = 0; k < count; k++)
        values[k] = (float)((int)((k * factor + shift) % modulus) - (int)(modulus / 2)) / divisor;
    return values;
}

/* As the fixtures count and name them. */
static const struct {
    enum df_lora_target target;
    const char *name;
} fixture_order[] = {
    {DF_LORA_Q, "q"},       {DF_LORA_K, "k"},      {DF_LORA_V, "v"},
    {DF_LORA_PROJ, "proj"}, {DF_LORA_UP, "fc1"},   {DF_LORA_UP, "w1"},
    {DF_LORA_UP2, "w2"},    {DF_LORA_DOWN, "fc2"}, {DF_LORA_DOWN, "w3"},
};

struct golden_trial {
    const char *model, *targets, *size;
    const char *kind; /* of fixture: "", "dora_", "dropout_" */
};

/* The key of the dropout in those, and its probability. */
#define DROPOUT_KEY 7
#define DROPOUT     0.3

static bool has_dora(const struct golden_trial *trial)
{
    return *trial->kind != '\0';
}

static bool has_dropout(const struct golden_trial *trial)
{
    return strcmp(trial->kind, "dropout_") == 0;
}

struct golden_tensors {
    const struct golden_trial *trial;
    struct df_segmenter *segmenter;
    struct df_state *golden;
    bool compare; /* gradients; else values are set */
};

/* The distance from what is expected, against the length of that. */
static void assert_near(const char *key, const float *found, const float *expected, size_t count, double most)
{
    double distance = 0.0, length = 0.0;

    for (size_t i = 0; i < count; i++) {
        distance += ((double)found[i] - (double)expected[i]) * ((double)found[i] - (double)expected[i]);
        length += (double)expected[i] * (double)expected[i];
    }
    if (!(sqrt(distance) <= most * sqrt(length)))
        fail_msg("%s is off by %g of its norm", key, sqrt(distance / length));
}

/* number: of A, one less than that of B. */
static float *first_values(const struct golden_tensors *tensors, char which,
                           const struct df_parameter *parameter, size_t number)
{
    const size_t count = (size_t)parameter->count;

    if (which != 'm')
        return pattern(count, 37, 11 * (number + (which == 'b')), 101,
                       which == 'b' && has_dora(tensors->trial) ? 200.0f : 1000.0f);
    float *lengths = download_floats(tensors->segmenter->backend, parameter->value, count),
          *changes = pattern(count, 29, 7 * number, 61, 100.0f);
    for (size_t i = 0; i < count; i++)
        lengths[i] *= 1.0f + changes[i];
    free(changes);
    return lengths;
}

static void visit_tensor(const struct golden_tensors *tensors, int64_t block, char which, size_t i,
                         size_t number)
{
    const struct df_segmenter *segmenter = tensors->segmenter;
    char name[DF_LORA_KEY_MAX], key[DF_LORA_KEY_MAX];

    df_lora_key(name, which, block, fixture_order[i].target, segmenter->config.ffn);
    const struct df_parameter *parameter = find(segmenter, name);
    const size_t count = (size_t)parameter->count;
    snprintf(key, sizeof key, "%c.%d.%s", which, (int)block, fixture_order[i].name);
    float *values = tensors->compare ? download_floats(segmenter->backend, parameter->gradient, count)
                                     : first_values(tensors, which, parameter, number);
    if (tensors->compare)
        assert_near(key, values, golden_floats(tensors->golden, key), count,
                    has_dora(tensors->trial) ? 1e-5 : 2e-5);
    else
        upload_floats(segmenter->backend, parameter->value, values, count);
    free(values);
}

static void visit(const struct golden_tensors *tensors)
{
    const struct df_vit_config *config = &tensors->segmenter->config;
    size_t number = 0;

    for (int64_t block = 0; block < config->depth; block++) {
        for (size_t i = 0; i < sizeof fixture_order / sizeof fixture_order[0]; i++) {
            const char *name = df_lora_target_name(fixture_order[i].target, config->ffn);
            if (!name || strcmp(name, fixture_order[i].name) != 0)
                continue;
            for (const char *which = has_dora(tensors->trial) ? "abm" : "ab"; *which; which++)
                visit_tensor(tensors, block, *which, i, number);
            number += 2;
        }
    }
}

static struct df_segmenter *open_golden(const struct golden_trial *trial, struct df_backend *backend,
                                        const struct df_tensor *image, const struct df_state *checkpoint)
{
    char backbone[128];

    snprintf(backbone, sizeof backbone, "%s/backbone.pth", trial->model);
    const struct df_segmenter_options options = {
        .decoder = "linear",
        .classes = CLASSES,
        .rank = 2,
        .lora = parts_of(backbone, trial->targets, "all", has_dora(trial)),
        .lora_dropout = has_dropout(trial) ? DROPOUT : 0.0,
        .max_batch = image->shape[0],
        .height = image->shape[2],
        .width = image->shape[3],
        .training = !checkpoint,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .rope_rescale = 1.0,
        .std = {1, 1, 1},
    };
    return open_segmenter(backend, backbone, &options, checkpoint);
}

/* The same from a checkpoint, whose LoRA is folded into the weights. */
static void check_folded(const struct golden_trial *trial, const struct golden_tensors *trained,
                         const struct df_tensor *image)
{
    struct df_record record = {.n_class_names = 0};
    struct df_state *state = df_checkpoint_state(trained->segmenter, &record);
    struct df_backend *backend = trained->segmenter->backend;

    assert_works(state);
    struct df_checkpoint *checkpoint = df_checkpoint_from_state(state, "golden");
    assert_works(checkpoint);
    assert_int_equal(checkpoint->lora.targets, trained->segmenter->options.lora.targets);
    assert_true(checkpoint->lora.dora == has_dora(trial));
    assert_works(df_checkpoint_check_backbone(checkpoint, &trained->segmenter->config, "golden") == 0);
    struct df_segmenter *folded = open_golden(trial, backend, image, checkpoint->state);
    load_image(folded, image->shape[0], image->data, NULL);
    assert_int_equal(df_vit_forward(folded->vit, folded->image, image->shape[0], false), 0);
    const struct df_tensor *expected = golden_tensor(trained->golden, "features");
    float *features = download_floats(backend, df_vit_feature(folded->vit, 0), expected->count);
    assert_close("folded", features, expected->data, expected->count, 1e-4);
    free(features);
    df_segmenter_free(folded);
    df_checkpoint_free(checkpoint);
}

static void all_layers_are_those_of_pytorch(void **state)
{
    const struct golden_trial *trial = *state;
    char path[128];

    snprintf(path, sizeof path, "%s/features_%s.safetensors", trial->model, trial->size);
    struct df_state *frozen = fixture_read(path);
    snprintf(path, sizeof path, "lora/%s%s.safetensors", trial->kind, trial->model);
    struct golden_tensors tensors = {.trial = trial, .golden = fixture_read(path)};
    struct df_backend *backend = open_backend("fp32");
    const struct df_tensor *image = golden_tensor(frozen, "image"),
                           *expected = golden_tensor(tensors.golden, "features");
    const int64_t batch = image->shape[0];
    const size_t count = golden_tensor(frozen, "x_norm_patchtokens")->count;

    struct df_segmenter *segmenter = tensors.segmenter = open_golden(trial, backend, image, NULL);
    visit(&tensors);
    load_image(segmenter, batch, image->data, NULL);
    assert_int_equal(df_vit_draw_dropout(segmenter->vit, DROPOUT_KEY, 0), 0);
    assert_int_equal(df_vit_forward(segmenter->vit, segmenter->image, batch, true), 0);
    float *features = download_floats(backend, df_vit_feature(segmenter->vit, 0), expected->count);
    assert_close("features", features, expected->data, expected->count, 1e-4);
    float *weights = pattern(count, 53, 0, 97, 100.0f);
    upload_floats(backend, segmenter->dfeatures[0], weights, count);
    assert_int_equal(df_vit_backward(segmenter->vit, batch, (const float *const *)segmenter->dfeatures), 0);
    tensors.compare = true;
    visit(&tensors);
    if (!has_dropout(trial))
        check_folded(trial, &tensors, image);
    free(features);
    free(weights);
    df_segmenter_free(segmenter);
    df_state_free(frozen);
    df_state_free(tensors.golden);
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

static void targets_are_read_and_written(void **state)
{
    static const char *const wrong[] = {"", "q,", ",q", "q,q", "w1", "fc3", "Q", "q k", "all"};
    char text[DF_LORA_TARGETS_TEXT];
    unsigned targets;

    assert_works(df_lora_targets_read("fc2,v,q,proj,fc1,k", DF_FFN_MLP, &targets) == 0);
    assert_string_equal(df_lora_targets_text(targets, DF_FFN_MLP, text), "q,k,v,proj,fc1,fc2");
    assert_works(df_lora_targets_read("w3,w1,w2", DF_FFN_SWIGLU, &targets) == 0);
    assert_string_equal(df_lora_targets_text(targets, DF_FFN_SWIGLU, text), "w1,w2,w3");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(df_lora_targets_read(wrong[i], DF_FFN_MLP, &targets), -1);
    assert_int_equal(df_lora_targets_read("fc1", DF_FFN_SWIGLU, &targets), -1);
    assert_error_has("w1");
}

#define LORA(name, test, ...) TEST_ROW(#name, test, (&(struct trial){__VA_ARGS__, false}))
#define DORA(name, test, ...) TEST_ROW(#name "_dora", test, (&(struct trial){__VA_ARGS__, true}))
#define BLOCKS(name, ...)     LORA(name, check_blocks, __VA_ARGS__)
#define SLOPES(name, ...)                                                                                    \
    LORA(name, gradients_are_slopes, __VA_ARGS__), DORA(name, gradients_are_slopes, __VA_ARGS__)
#define RECOMPUTE(name, ...) LORA(name, recomputing_changes_no_bit, __VA_ARGS__)
#define GOLDEN(name, ...)                                                                                    \
    TEST_ROW(#name, all_layers_are_those_of_pytorch, (&(struct golden_trial){__VA_ARGS__}))
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_read_and_written),
        cmocka_unit_test(targets_are_read_and_written),
        cmocka_unit_test(bf16_has_the_same_lengths),
        cmocka_unit_test(dropout_is_of_the_step),
        cmocka_unit_test(dropout_is_that_of_the_image),

        GOLDEN(mlp, "dinov2_tiny", MLP_ALL, "70x84", ""),
        GOLDEN(fused_swiglu, "dinov2_tiny_swiglu_reg", SWIGLU_ALL, "70x84", ""),
        GOLDEN(rope_and_swiglu, "dinov3_tiny_swiglu", SWIGLU_ALL, "80x96", ""),
        GOLDEN(dora_in_mlp, "dinov2_tiny", MLP_ALL, "70x84", "dora_"),
        GOLDEN(dora_in_fused_swiglu, "dinov2_tiny_swiglu_reg", SWIGLU_ALL, "70x84", "dora_"),
        GOLDEN(dora_behind_rope, "dinov3_tiny_swiglu", SWIGLU_ALL, "80x96", "dora_"),
        GOLDEN(dora_with_dropout, "dinov2_tiny", MLP_ALL, "70x84", "dropout_"),

        SLOPES(k_alone, V3, "linear", "fp32", 16, "k", "2", false, 0.0),
        SLOPES(q_alone, V2, "linear", "fp32", 14, "q", "all", false, 0.0),
        SLOPES(from_proj_on, V2, "fpn", "fp32", 14, "proj,fc2", "1,3", false, 0.0),
        SLOPES(from_fc1_on, V3, "linear", "fp32", 16, "fc1", "last:2", false, 0.0),
        SLOPES(fc2_alone, V2, "linear", "fp32", 14, "fc2", "3", false, 0.0),
        SLOPES(w2_alone, V2_SWIGLU, "linear", "fp32", 14, "w2", "all", false, 0.0),
        SLOPES(all_layers, V3_SWIGLU, "linear", "fp32", 16, SWIGLU_ALL, "all", false, 0.0),

        SLOPES(with_dropout, V2, "linear", "fp32", 14, MLP_ALL, "all", false, 0.4),
        SLOPES(with_dropout_in_swiglu, V3_SWIGLU, "linear", "fp32", 16, SWIGLU_ALL, "last:1", false, 0.4),

        BLOCKS(the_last_block, V2, "linear", "fp32", 14, "q,v", "last:1", false, 0.0),
        BLOCKS(the_last_three, V3, "linear", "fp32", 16, "q,v", "last:3", false, 0.0),
        BLOCKS(one_in_the_middle, V2, "linear", "fp32", 14, "q,v", "2", false, 0.0),
        BLOCKS(with_gaps, V3, "fpn", "fp32", 16, "q,v", "1,3", false, 0.0),
        BLOCKS(recomputing, V3, "fpn", "fp32", 16, "q,v", "1,3", true, 0.0),
        BLOCKS(last_two_in_bf16, V2, "fpn", "bf16", 14, "q,v", "last:2", false, 0.0),
        BLOCKS(all_layers_of_two, V3, "fpn", "fp32", 16, MLP_ALL, "last:2", false, 0.0),
        BLOCKS(all_layers_with_gaps, V2, "linear", "fp32", 14, MLP_ALL, "0,2", false, 0.0),

        RECOMPUTE(all_layers_recomputed, V3, "linear", "fp32", 16, MLP_ALL, "all", false, 0.0),
        RECOMPUTE(dropout_recomputed, V2, "linear", "fp32", 14, MLP_ALL, "all", false, 0.3),
        RECOMPUTE(swiglu_recomputed, V2_SWIGLU, "linear", "fp32", 14, "w3,w1,k", "all", false, 0.0),
        DORA(all_recomputed, recomputing_changes_no_bit, V3, "linear", "fp32", 16, MLP_ALL, "last:2", false,
             0.0),
        DORA(dropout_recomputed, recomputing_changes_no_bit, V2, "linear", "bf16", 14, MLP_ALL, "1,3", false,
             0.3),
        RECOMPUTE(recomputed_in_bf16, V2, "linear", "bf16", 14, MLP_ALL, "1,3", false, 0.0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
