/* Decoders over several blocks against PyTorch (fixtures/heads/make.py): logits in training and evaluation,
 * and the gradients of all parameters and maps. Which blocks they read. */
#include "model/model_support.h"

#include "src/model/decoder_linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the fixture. */
#define BATCH   2
#define DIM     8
#define HEIGHT  5
#define WIDTH   6
#define CLASSES 5
#define MAPS    4
#define PATCHES (HEIGHT * WIDTH)
#define MOST    4096
#define THIN    101

#define PATCH     14
#define TOLERANCE 1e-5

struct head {
    const char *name; /* in the fixture */
    const char *decoder;
    const char *prefix; /* of its parameters */
    enum df_head_norm norm;
    double dropout;
};

/* As the fixture's script draws: uniform within the spread. */
static float *draw(const char *name, int64_t count, double spread)
{
    float *values = malloc((size_t)count * sizeof *values);
    uint32_t number = 7;

    assert_non_null(values);
    for (; *name; name++)
        number = number * 31 + (uint8_t)*name;
    for (int64_t i = 0; i < count; i++) {
        number = number * 1664525 + 1013904223;
        values[i] = (float)((2.0 * (double)(number >> 8) / 16777216.0 - 1.0) * spread);
    }
    return values;
}

static void upload_drawn(struct df_backend *backend, float *to, const char *name, int64_t count,
                         double spread)
{
    float *values = draw(name, count, spread);

    upload_floats(backend, to, values, (size_t)count);
    free(values);
}

static struct df_segmenter *open_head(struct df_backend *backend, const struct head *head, bool training)
{
    const struct df_vit_config config = {.dim = DIM, .depth = MAPS, .patch = PATCH};
    const struct df_segmenter_options options = {.decoder = head->decoder,
                                                 .classes = CLASSES,
                                                 .head = {.norm = head->norm, .dropout = head->dropout},
                                                 .max_batch = BATCH,
                                                 .height = HEIGHT * PATCH,
                                                 .width = WIDTH * PATCH,
                                                 .training = training,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .features_given = true,
                                                 .std = {1, 1, 1}};
    struct df_segmenter *segmenter = df_segmenter_create(backend, NULL, &config, &options, NULL, 1);

    assert_works(segmenter);
    for (int i = 0; i < segmenter->parameters.count; i++) {
        const struct df_parameter *parameter = &segmenter->parameters.items[i];
        assert_int_equal(strncmp(parameter->name, head->prefix, strlen(head->prefix)), 0);
        if (parameter->kind == DF_PARAMETER_DECODER)
            upload_drawn(backend, parameter->value, parameter->name + strlen(head->prefix), parameter->count,
                         0.5);
    }
    for (int i = 0; i < segmenter->n_features; i++) {
        char name[16];
        snprintf(name, sizeof name, "map.%d", i);
        upload_drawn(backend, segmenter->features[i], name, (int64_t)BATCH * PATCHES * DIM, 2.0);
    }
    return segmenter;
}

/* found [B, rows, channels] against the golden [B, channels, rows]. */
static void check_map(const struct df_state *golden, const char *name, const struct df_segmenter *segmenter,
                      const float *found, int64_t channels)
{
    const size_t count = golden_tensor(golden, name)->count;
    float *values = download_floats(segmenter->backend, found, count);
    float *turned = malloc(count * sizeof *turned), *next = turned;

    assert_int_equal(count, BATCH * PATCHES * channels);
    for (int64_t b = 0; b < BATCH; b++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t row = 0; row < PATCHES; row++)
                *next++ = values[(b * PATCHES + row) * channels + c];
    assert_close(name, turned, golden_floats(golden, name), count, TOLERANCE);
    free(values);
    free(turned);
}

/* Those of which the fixture has every THINth element, and the others. */
static void check_gradient(const struct df_state *golden, const char *name,
                           const struct df_segmenter *segmenter, const struct df_parameter *parameter)
{
    const int64_t step = parameter->count > MOST ? THIN : 1;
    const struct df_tensor *expected = golden_tensor(golden, name);
    float *values = download_floats(segmenter->backend, parameter->gradient, (size_t)parameter->count);

    assert_int_equal(expected->count, (parameter->count - 1) / step + 1);
    for (size_t i = 0; i < expected->count; i++)
        values[i] = values[(int64_t)i * step];
    assert_close(name, values, expected->data, expected->count, TOLERANCE);
    free(values);
}

static void check_backward(const struct head *head, const struct df_state *golden,
                           struct df_segmenter *segmenter)
{
    struct df_decoder *decoder = segmenter->decoder;
    struct df_backend *backend = segmenter->backend;
    const size_t bytes = (size_t)BATCH * PATCHES * DIM * sizeof(float);
    float *dmaps[MAPS];
    char name[96];

    for (int i = 0; i < MAPS; i++) {
        dmaps[i] = backend->ops->alloc(backend, bytes);
        assert_non_null(dmaps[i]);
    }
    upload_drawn(backend, decoder->dlogits, "dlogits", (int64_t)BATCH * PATCHES * CLASSES, 1.0);
    assert_works(decoder->ops->backward(decoder, segmenter->features, BATCH, dmaps) == 0);
    for (int i = 0; i < segmenter->parameters.count; i++) {
        const struct df_parameter *parameter = &segmenter->parameters.items[i];
        snprintf(name, sizeof name, "%s.gradient.%s", head->name, parameter->name + strlen(head->prefix));
        if (parameter->kind == DF_PARAMETER_DECODER)
            check_gradient(golden, name, segmenter, parameter);
    }
    for (int i = 0; i < MAPS; i++) {
        snprintf(name, sizeof name, "%s.map.%d", head->name, i);
        if (i < segmenter->n_features)
            check_map(golden, name, segmenter, dmaps[i], DIM);
        backend->ops->free(backend, dmaps[i]);
    }
}

/* What a training pass leaves in BatchNorm's buffers. */
static void check_buffers(const struct head *head, const struct df_state *golden,
                          const struct df_segmenter *segmenter)
{
    char name[96];

    for (int i = 0; i < segmenter->parameters.count; i++) {
        const struct df_parameter *parameter = &segmenter->parameters.items[i];
        snprintf(name, sizeof name, "%s.buffer.%s", head->name, parameter->name + strlen(head->prefix));
        if (parameter->kind == DF_PARAMETER_COUNTER)
            assert_true((float)parameter->counter == golden_floats(golden, name)[0]);
        if (parameter->kind != DF_PARAMETER_BUFFER)
            continue;
        float *values = download_floats(segmenter->backend, parameter->value, (size_t)parameter->count);
        assert_close(name, values, golden_floats(golden, name), (size_t)parameter->count, TOLERANCE);
        free(values);
    }
}

/* What PyTorch has dropped, in place of what the program has drawn at the beginning of the pass. */
static void drop_the_same(const struct head *head, const struct df_state *golden, struct df_decoder *decoder)
{
    const struct df_decoder_input *input = &((struct df_linear *)decoder)->input;
    char name[64];

    snprintf(name, sizeof name, "%s.factors", head->name);
    const float *factors = golden_floats(golden, name);
    for (int i = 0; i < decoder->ops->inputs; i++)
        for (int64_t image = 0; image < BATCH; image++)
            upload_floats(decoder->backend, input->factors + (i * BATCH + image) * DIM,
                          factors + (image * decoder->ops->inputs + i) * DIM, DIM);
}

static void check_head(void **state)
{
    const struct head *head = *state;
    struct df_state *golden = fixture_read("heads/heads.safetensors");
    struct df_backend *backend = open_backend("fp32");
    struct df_segmenter *segmenter = open_head(backend, head, true);
    char name[64];

    assert_works(segmenter_begin_pass(segmenter, BATCH, NULL) == 0);
    if (head->dropout > 0.0)
        drop_the_same(head, golden, segmenter->decoder);
    assert_works(segmenter_run(segmenter, BATCH, true) == 0);
    snprintf(name, sizeof name, "%s.logits", head->name);
    check_map(golden, name, segmenter, segmenter->decoder->logits, CLASSES);
    check_backward(head, golden, segmenter);
    check_buffers(head, golden, segmenter);
    assert_works(df_segmenter_forward(segmenter, BATCH, false, NULL) == 0);
    snprintf(name, sizeof name, "%s.evaluated", head->name);
    check_map(golden, name, segmenter, segmenter->decoder->logits, CLASSES);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
    df_state_free(golden);
}

/* --- dropout --- */

/* The factors of the next pass over so many images: [BATCH, DIM]. */
static float *draw_pass(struct df_segmenter *segmenter, int64_t count)
{
    const struct df_decoder_input *input = &((struct df_linear *)segmenter->decoder)->input;

    assert_works(segmenter_begin_pass(segmenter, count, NULL) == 0);
    return download_floats(segmenter->backend, input->factors, (size_t)(count * DIM));
}

/* A step has the same in one part and in two, and another step has others. */
static void draws_belong_to_seed_and_step(void **state)
{
    const struct head head = {"linear", "linear", "classifier", DF_HEAD_NORM_NONE, 0.25};
    struct df_backend *backend = open_backend("fp32");
    struct df_segmenter *segmenter = open_head(backend, &head, true);
    float *first = draw_pass(segmenter, BATCH), *again = draw_pass(segmenter, BATCH);
    float *half = draw_pass(segmenter, 1);
    int dropped = 0;

    for (int i = 0; i < BATCH * DIM; i++) {
        assert_true(first[i] == 0.0f || fabsf(first[i] - 4.0f / 3.0f) < 1e-6f);
        dropped += first[i] == 0.0f;
    }
    assert_true(dropped > 0 && dropped < BATCH * DIM);
    assert_memory_equal(again, first, BATCH * DIM * sizeof *first);
    assert_memory_equal(half, first, DIM * sizeof *first);
    segmenter->optimizer.parts = 1;
    float *rest = draw_pass(segmenter, 1);
    assert_memory_equal(rest, first + DIM, DIM * sizeof *first);
    segmenter->optimizer.parts = 0;
    segmenter->optimizer.steps++;
    float *next = draw_pass(segmenter, BATCH);
    assert_memory_not_equal(next, first, BATCH * DIM * sizeof *first);
    free(first);
    free(again);
    free(half);
    free(rest);
    free(next);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

/* --- blocks --- */

#define DEPTH 7

static const struct df_vit_config deep = {.family = DF_DINOV2,
                                          .dim = 128,
                                          .depth = DEPTH,
                                          .heads = 2,
                                          .head_size = 64,
                                          .patch = PATCH,
                                          .registers = 4,
                                          .ffn = DF_FFN_MLP,
                                          .ffn_hidden = 128,
                                          .pos_grid = 4,
                                          .qkv_bias = true,
                                          .layernorm_eps = 1e-6f};

/* The features that a backbone of seven blocks hands out. */
static struct df_segmenter *open_deep(struct df_backend *backend, int n_features, enum df_layers layers)
{
    const struct df_segmenter_options options = {.n_features = n_features,
                                                 .head = {.layers = layers},
                                                 .max_batch = 1,
                                                 .height = HEIGHT * PATCH,
                                                 .width = WIDTH * PATCH,
                                                 .std = {1, 1, 1}};
    struct df_state *weights = df_backbone_random(&deep, 3);
    struct df_segmenter *segmenter = df_segmenter_create(backend, weights, &deep, &options, NULL, 0);
    float *image = draw("image", (int64_t)3 * PATCHES * PATCH * PATCH, 1.0);

    assert_works(segmenter);
    load_image(segmenter, 1, image, NULL);
    assert_works(df_segmenter_forward(segmenter, 1, false, NULL) == 0);
    free(image);
    df_state_free(weights);
    return segmenter;
}

static void check_blocks(enum df_layers layers, const int blocks[MAPS])
{
    struct df_backend *backend = open_backend("fp32");
    struct df_segmenter *all = open_deep(backend, DEPTH, DF_LAYERS_LAST);
    struct df_segmenter *four = open_deep(backend, MAPS, layers);
    const size_t bytes = df_segmenter_feature_bytes(all);
    char *expected = malloc(bytes), *found = malloc(bytes);

    for (int i = 0; i < MAPS; i++) {
        assert_works(df_segmenter_download_features(all, 0, blocks[i], expected) == 0);
        assert_works(df_segmenter_download_features(four, 0, i, found) == 0);
        assert_memory_equal(expected, found, bytes);
    }
    free(expected);
    free(found);
    df_segmenter_free(four);
    df_segmenter_free(all);
    df_backend_close(backend);
}

static void the_last_blocks(void **state)
{
    check_blocks(DF_LAYERS_LAST, (const int[]){3, 4, 5, 6});
}

static void blocks_evenly_spaced_in_depth(void **state)
{
    const int64_t of_12[] = {2, 5, 8, 11}, of_40[] = {9, 19, 29, 39};

    check_blocks(DF_LAYERS_EVEN, (const int[]){0, 2, 4, 6});
    for (int i = 0; i < MAPS; i++) {
        assert_int_equal(df_layers_block(DF_LAYERS_EVEN, 12, MAPS, i), of_12[i]);
        assert_int_equal(df_layers_block(DF_LAYERS_EVEN, 40, MAPS, i), of_40[i]);
        assert_int_equal(df_layers_block(DF_LAYERS_EVEN, MAPS, MAPS, i), i);
    }
}

/* The mean loss of a training pass. */
static double training_loss(struct df_segmenter *segmenter, bool gradient)
{
    double sum;
    int64_t count;

    assert_works(df_segmenter_forward(segmenter, 1, true, NULL) == 0);
    assert_works(df_segmenter_loss(segmenter, 1, gradient, false, &sum, &count) == 0);
    return sum / (double)count;
}

/* A head over evenly spaced blocks, LoRA below them. */
static struct df_segmenter *open_trained(struct df_backend *backend)
{
    const struct df_segmenter_options options = {.decoder = "multi",
                                                 .classes = CLASSES,
                                                 .head = {.layers = DF_LAYERS_EVEN},
                                                 .rank = 2,
                                                 .max_batch = 1,
                                                 .height = HEIGHT * PATCH,
                                                 .width = WIDTH * PATCH,
                                                 .training = true,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .rope_rescale = 1.0,
                                                 .std = {1, 1, 1}};
    struct df_state *weights = df_backbone_random(&deep, 3);
    struct df_segmenter *segmenter = df_segmenter_create(backend, weights, &deep, &options, NULL, 0);
    float *image = draw("image", (int64_t)3 * PATCHES * PATCH * PATCH, 1.0);
    uint8_t labels[PATCHES * PATCH * PATCH];

    assert_works(segmenter);
    for (size_t i = 0; i < sizeof labels; i++)
        labels[i] = (uint8_t)(i / 700 % CLASSES);
    load_image(segmenter, 1, image, labels);
    scatter_parameters(segmenter);
    free(image);
    df_state_free(weights);
    return segmenter;
}

/* The slope along the gradient of LoRA is that gradient's length. */
static void lora_learns_from_all_blocks_that_are_read(void **state)
{
    struct df_backend *backend = open_backend("fp32");
    struct df_segmenter *segmenter = open_trained(backend);
    const struct df_parameters *parameters = &segmenter->parameters;
    const int64_t first = parameters->group_first[DF_GROUP_LORA_A];
    const size_t count = (size_t)(parameters->group_first[DF_GROUP_LORA_B + 1] - first);
    double length = 0.0, losses[2];

    training_loss(segmenter, true);
    assert_works(df_segmenter_backward(segmenter, 1) == 0);
    float *gradient = download_floats(backend, parameters->gradients + first, count);
    float *values = download_floats(backend, parameters->values + first, count);
    for (size_t i = 0; i < count; i++)
        length += (double)gradient[i] * (double)gradient[i];
    length = sqrt(length);
    const double step = 5e-3;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < count; i++)
            values[i] += (float)((side ? -2.0 : 1.0) * step * (double)gradient[i] / length);
        upload_floats(backend, parameters->values + first, values, count);
        losses[side] = training_loss(segmenter, false);
    }
    const double slope = (losses[0] - losses[1]) / (2.0 * step);
    if (!(fabs(slope - length) <= 0.01 * length))
        fail_msg("slope %.6g along the gradient, whose length is %.6g", slope, length);
    free(gradient);
    free(values);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

static void too_few_blocks(void **state)
{
    struct df_vit_config shallow = deep;
    const struct df_segmenter_options options = {.decoder = "multi",
                                                 .classes = CLASSES,
                                                 .head = {.layers = DF_LAYERS_EVEN},
                                                 .max_batch = 1,
                                                 .height = PATCH,
                                                 .width = PATCH};
    struct df_backend *backend = open_backend("fp32");
    struct df_memory_plan plan;

    shallow.depth = MAPS - 1;
    assert_int_equal(df_segmenter_plan(backend, &shallow, &options, &plan), -1);
    assert_error_has("4 intermediate layers asked for, the backbone has 3 blocks");
    df_backend_close(backend);
}

#define HEAD(name, ...) TEST_ROW(name, check_head, (&(struct head){name, __VA_ARGS__}))

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAD("multi", "multi", "multi.", DF_HEAD_NORM_NONE, 0.0),
        HEAD("linear_bn", "linear", "linear.", DF_HEAD_NORM_BN, 0.25),
        HEAD("multi_bn", "multi", "multi.", DF_HEAD_NORM_BN, 0.25),
        HEAD("mlp", "mlp", "mlp.", DF_HEAD_NORM_NONE, 0.0),
        cmocka_unit_test(draws_belong_to_seed_and_step),
        cmocka_unit_test(the_last_blocks),
        cmocka_unit_test(blocks_evenly_spaced_in_depth),
        cmocka_unit_test(lora_learns_from_all_blocks_that_are_read),
        cmocka_unit_test(too_few_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
