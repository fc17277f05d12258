/* Properties of the whole model that no golden tensor shows. */
#include "model/model_support.h"

#include "dinoft/flops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEIGHT    112
#define WIDTH     144
#define BATCH     2
#define REGISTERS "dinov2_tiny_reg/backbone.pth"

struct subject {
    struct df_backend *backend;
    struct df_segmenter *segmenter;
    float *image;    /* [BATCH, 3, HEIGHT, WIDTH] */
    uint8_t *labels; /* [BATCH, HEIGHT, WIDTH] */
};

static void fill_batch(struct subject *subject)
{
    struct df_rng rng;
    df_rng_seed(&rng, 11, 0);
    subject->image = malloc(BATCH * 3 * HEIGHT * WIDTH * sizeof *subject->image);
    subject->labels = malloc(BATCH * HEIGHT * WIDTH);
    for (int i = 0; i < BATCH * 3 * HEIGHT * WIDTH; i++)
        subject->image[i] = (float)df_rng_double(&rng);
    for (int i = 0; i < BATCH * HEIGHT * WIDTH; i++)
        subject->labels[i] = (i / 50) % 9 == 0 ? 255 : (uint8_t)((i / 700) % 5);
}

static void open_subject(struct subject *subject, const char *backbone, int64_t patch, const char *decoder,
                         double rope_rescale, int threads)
{
    struct df_segmenter_options options = {.decoder = decoder,
                                           .classes = 5,
                                           .rank = 4,
                                           .max_batch = BATCH,
                                           .height = HEIGHT - HEIGHT % patch,
                                           .width = WIDTH - WIDTH % patch,
                                           .training = true,
                                           .optimizer = DF_OPTIMIZER_DEFAULTS,
                                           .rope_rescale = rope_rescale,
                                           .std = {1, 1, 1}};
    subject->backend = test_open_backend("fp32", threads);
    assert_non_null(subject->backend);
    subject->segmenter = open_segmenter(subject->backend, backbone, &options, NULL);
    fill_batch(subject);
    scatter_parameters(subject->segmenter);
}

static void close_subject(struct subject *subject)
{
    df_segmenter_free(subject->segmenter);
    df_backend_close(subject->backend);
    free(subject->image);
    free(subject->labels);
}

/* Mean loss of a training pass; the same RoPE draw every time. */
static double training_loss(struct subject *subject, bool gradient)
{
    struct df_rng rng;
    double sum;
    int64_t count;
    df_rng_seed(&rng, 13, 0);
    load_image(subject->segmenter, BATCH, subject->image, subject->labels);
    assert_int_equal(df_segmenter_forward(subject->segmenter, BATCH, true, &rng), 0);
    assert_int_equal(df_segmenter_loss(subject->segmenter, BATCH, gradient, false, &sum, &count), 0);
    if (gradient)
        assert_int_equal(df_segmenter_backward(subject->segmenter, BATCH), 0);
    return sum / (double)count;
}

/* The slope along the gradient of one parameter must be the gradient's length. */
static void check_slope(struct subject *subject, const struct df_parameter *parameter, const float *gradients)
{
    struct df_parameters *parameters = &subject->segmenter->parameters;
    const float *gradient = gradients + parameter->offset;
    const size_t count = (size_t)parameter->count;
    float *on_device = parameters->values + parameter->offset;
    float *before = download_floats(subject->backend, on_device, count);
    float *values = malloc(count * sizeof *values);
    double length = 0.0;

    assert_non_null(values);
    for (int64_t i = 0; i < parameter->count; i++)
        length += (double)gradient[i] * (double)gradient[i];
    length = sqrt(length);
    double step = 2e-2, slopes[2];
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < parameter->count; i++)
            values[i] = before[i] + (float)((side ? -step : step) * (double)gradient[i] / length);
        upload_floats(subject->backend, on_device, values, count);
        slopes[side] = training_loss(subject, false);
    }
    upload_floats(subject->backend, on_device, before, count);
    double slope = (slopes[0] - slopes[1]) / (2.0 * step);
    if (!(fabs(slope - length) <= 0.02 * length + 2e-5))
        fail_msg("%s: slope %.6g along the gradient, whose length is %.6g", parameter->name, slope, length);
    free(before);
    free(values);
}

static void check_gradients(const char *backbone, int64_t patch, const char *decoder, double rope_rescale)
{
    struct subject subject;
    open_subject(&subject, backbone, patch, decoder, rope_rescale, 2);
    struct df_parameters *parameters = &subject.segmenter->parameters;

    training_loss(&subject, true);
    float *gradients =
        download_floats(subject.backend, parameters->gradients, (size_t)df_parameters_length(parameters));
    for (int i = 0; i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        bool vanishing = strstr(parameter->name, "inter_conv") && strstr(parameter->name, "bias");
        if (parameter->kind <= DF_PARAMETER_DECODER && !vanishing)
            check_slope(&subject, parameter, gradients);
    }
    free(gradients);
    close_subject(&subject);
}

static void gradients_are_slopes(void **state)
{
    check_gradients("dinov2_tiny_swiglu_reg/backbone.pth", 14, "linear", 1.0);
    check_gradients("dinov3_tiny_swiglu/backbone.pth", 16, "linear", 1.0);
    check_gradients("dinov3_tiny_swiglu/backbone.pth", 16, "linear", 2.0);
}

static void rope_rescaling_is_only_for_training(void **state)
{
    struct subject plain, rescaled;
    double sums[2];
    int64_t count;
    open_subject(&plain, "dinov3_tiny_swiglu/backbone.pth", 16, "linear", 1.0, 2);
    open_subject(&rescaled, "dinov3_tiny_swiglu/backbone.pth", 16, "linear", 2.0, 2);
    assert_true(training_loss(&plain, false) != training_loss(&rescaled, false));
    for (int i = 0; i < 2; i++) {
        struct df_segmenter *segmenter = i ? rescaled.segmenter : plain.segmenter;
        assert_int_equal(df_segmenter_forward(segmenter, BATCH, false, NULL), 0);
        assert_int_equal(df_segmenter_loss(segmenter, BATCH, false, false, &sums[i], &count), 0);
    }
    assert_true(sums[0] == sums[1]);
    close_subject(&plain);
    close_subject(&rescaled);
}

/* Three steps; the trained values end up in `values`. */
static void train_briefly(const char *backbone, const char *decoder, int threads, float **values,
                          size_t *bytes)
{
    struct subject subject;
    struct df_rng rng;
    struct df_step_result result;
    open_subject(&subject, backbone, 14, decoder, 1.0, threads);
    df_rng_seed(&rng, 1, 1);
    load_image(subject.segmenter, BATCH, subject.image, subject.labels);
    for (int i = 0; i < 3; i++)
        assert_int_equal(df_segmenter_train_step(subject.segmenter, BATCH, 1e-3, &rng, &result), 0);
    *bytes = (size_t)df_parameters_length(&subject.segmenter->parameters) * sizeof(float);
    *values = download_floats(subject.backend, subject.segmenter->parameters.values, *bytes / sizeof(float));
    close_subject(&subject);
}

static void the_same_run_gives_the_same_bits(void **state)
{
    static const char *const decoders[] = {"linear", "fpn"};
    for (int i = 0; i < 2; i++) {
        float *first, *second;
        size_t bytes;
        train_briefly(REGISTERS, decoders[i], 2, &first, &bytes);
        train_briefly(REGISTERS, decoders[i], 2, &second, &bytes);
        assert_memory_equal(first, second, bytes);
        free(first);
        free(second);
    }
}

static void threads_change_rounding_only(void **state)
{
    float *one, *two;
    size_t bytes;
    train_briefly(REGISTERS, "linear", 1, &one, &bytes);
    train_briefly(REGISTERS, "linear", 2, &two, &bytes);
    assert_close("values", one, two, bytes / sizeof(float), 1e-3);
    free(one);
    free(two);
}

static void a_smaller_batch_sees_the_same_images(void **state)
{
    struct subject subject;
    struct df_segmenter *segmenter;
    open_subject(&subject, REGISTERS, 14, "linear", 1.0, 2);
    segmenter = subject.segmenter;
    size_t count = (size_t)(segmenter->decoder->logits_h * segmenter->decoder->logits_w * 5);
    load_image(segmenter, BATCH, subject.image, NULL);
    assert_int_equal(df_segmenter_forward(segmenter, BATCH, false, NULL), 0);
    float *logits = download_floats(subject.backend, segmenter->decoder->logits, count);
    load_image(segmenter, 1, subject.image, NULL);
    assert_int_equal(df_segmenter_forward(segmenter, 1, false, NULL), 0);
    float *alone = download_floats(subject.backend, segmenter->decoder->logits, count);
    assert_close("logits", alone, logits, count, 1e-5);
    free(logits);
    free(alone);
    close_subject(&subject);
}

static const struct df_parameter *find_parameter(const struct df_segmenter *segmenter, const char *name)
{
    const struct df_parameters *parameters = &segmenter->parameters;

    for (int i = 0; i < parameters->count; i++) {
        if (strcmp(parameters->items[i].name, name) == 0)
            return &parameters->items[i];
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static void check_not_finite(const char *decoder, const char *parameter, float value)
{
    struct subject subject;

    open_subject(&subject, REGISTERS, 14, decoder, 1.0, 2);
    struct df_segmenter *segmenter = subject.segmenter;
    load_image(segmenter, BATCH, subject.image, NULL);
    assert_int_equal(df_segmenter_forward(segmenter, BATCH, false, NULL), 0);
    assert_int_equal(df_parameters_check(&segmenter->parameters, subject.backend), 0);
    /* one of a vector's values */
    upload_floats(subject.backend, find_parameter(segmenter, parameter)->value + 1, &value, 1);
    assert_int_equal(df_segmenter_forward(segmenter, BATCH, false, NULL), -1);
    assert_error_has("logits are not finite");
    assert_int_equal(df_parameters_check(&segmenter->parameters, subject.backend), -1);
    assert_error_has(parameter);
    close_subject(&subject);
}

/* What is predicted from such logits looks like a result. */
static void logits_that_are_not_finite(void **state)
{
    check_not_finite("linear", "classifier.bias", INFINITY);
    check_not_finite("linear", "classifier.bias", -INFINITY);
    check_not_finite("linear", "classifier.bias", NAN);
    check_not_finite("linear", "classifier.bias", 3e38f); /* their sum overflows */
    check_not_finite("fpn", "conv2.1.running_mean", NAN);
    check_not_finite("fpn", "conv5.1.bias", INFINITY);
}

/* One of the two models that train a decoder: the other has no backbone. */
static struct df_segmenter *open_frozen(struct df_backend *backend, const char *decoder, bool features_given)
{
    const struct df_segmenter_options options = {.decoder = decoder,
                                                 .classes = 5,
                                                 .max_batch = BATCH,
                                                 .height = 112,
                                                 .width = 140,
                                                 .training = true,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .features_given = features_given,
                                                 .std = {1, 1, 1}};
    return open_segmenter(backend, REGISTERS, &options, NULL);
}

/* Image i's features as they are handed over: one map behind the other. */
static void hand_over(const struct df_segmenter *from, struct df_segmenter *to, int64_t i)
{
    const size_t bytes = df_segmenter_feature_bytes(from);
    const int n_features = from->n_features;
    char *record = malloc((size_t)n_features * bytes);
    for (int n = 0; n < n_features; n++)
        assert_int_equal(df_segmenter_download_features(from, i, n, record + (size_t)n * bytes), 0);
    assert_int_equal(df_segmenter_load_features(to, i, record), 0);
    free(record);
}

static void check_given_features(const char *decoder)
{
    struct subject subject = {.backend = test_open_backend("fp32", 2)};
    struct df_segmenter *whole = open_frozen(subject.backend, decoder, false);
    struct df_segmenter *half = open_frozen(subject.backend, decoder, true);
    const size_t trained = (size_t)df_parameters_length(&whole->parameters);

    fill_batch(&subject);
    assert_null(half->vit);
    assert_true(half->arena.peak < whole->arena.peak);
    for (int step = 0; step < 3; step++) {
        struct df_step_result results[2];
        load_image(whole, BATCH, subject.image, subject.labels);
        assert_int_equal(df_segmenter_train_step(whole, BATCH, 1e-2, NULL, &results[0]), 0);
        for (int64_t i = 0; i < BATCH; i++)
            hand_over(whole, half, i);
        assert_int_equal(df_segmenter_load_labels(half, BATCH, subject.labels), 0);
        assert_int_equal(df_segmenter_train_step(half, BATCH, 1e-2, NULL, &results[1]), 0);
        assert_true(results[0].loss == results[1].loss);
    }
    float *of_whole = download_floats(subject.backend, whole->parameters.values, trained);
    float *of_half = download_floats(subject.backend, half->parameters.values, trained);
    assert_memory_equal(of_whole, of_half, trained * sizeof(float));
    free(of_whole);
    free(of_half);
    df_segmenter_free(half);
    df_segmenter_free(whole);
    subject.segmenter = NULL;
    close_subject(&subject);
}

static void given_features_train_the_same_decoder(void **state)
{
    check_given_features("linear");
    check_given_features("multi");
    check_given_features("mlp");
    check_given_features("fpn");
}

static struct df_segmenter *open_extractor(struct df_backend *backend, int n_features)
{
    const struct df_segmenter_options options = {.n_features = n_features,
                                                 .class_tokens = true,
                                                 .max_batch = BATCH,
                                                 .height = 112,
                                                 .width = 140,
                                                 .std = {1, 1, 1}};
    return open_segmenter(backend, REGISTERS, &options, NULL);
}

static void check_same_features(const struct df_segmenter *whole, const struct df_segmenter *alone)
{
    const size_t bytes = df_segmenter_feature_bytes(whole);
    char *first = malloc(bytes), *second = malloc(bytes);

    assert_int_equal(df_segmenter_feature_bytes(alone), bytes);
    for (int64_t i = 0; i < BATCH; i++) {
        for (int block = 0; block < whole->n_features; block++) {
            assert_int_equal(df_segmenter_download_features(whole, i, block, first), 0);
            assert_int_equal(df_segmenter_download_features(alone, i, block, second), 0);
            assert_memory_equal(first, second, bytes);
        }
    }
    free(first);
    free(second);
}

static double flops_of(const struct df_segmenter *segmenter)
{
    double flops = 0.0;
    assert_int_equal(df_segmenter_flops(&segmenter->config, df_segmenter_made_with(segmenter), &flops), 0);
    return flops;
}

static void a_model_without_a_decoder_finds_the_same_features(void **state)
{
    struct subject subject = {.backend = test_open_backend("fp32", 2)};
    struct df_segmenter *whole = open_frozen(subject.backend, "fpn", false);
    struct df_segmenter *alone = open_extractor(subject.backend, whole->n_features);
    float tokens[2][128];

    fill_batch(&subject);
    assert_int_equal(alone->config.dim, 128);
    assert_int_equal(df_segmenter_trained_parameters(alone), 0);
    assert_true(df_segmenter_planned_bytes(alone) < df_segmenter_planned_bytes(whole));
    assert_true(flops_of(alone) < flops_of(whole));
    load_image(whole, BATCH, subject.image, NULL);
    assert_int_equal(df_segmenter_forward(whole, BATCH, false, NULL), 0);
    for (int i = 0; i < 2; i++) { /* also after another size */
        assert_int_equal(df_segmenter_set_size(alone, 56, 70), 0);
        load_image(alone, BATCH, subject.image, NULL);
        assert_int_equal(df_segmenter_forward(alone, BATCH, false, NULL), 0);
        assert_int_equal(df_segmenter_set_size(alone, 112, 140), 0);
        load_image(alone, BATCH, subject.image, NULL);
        assert_int_equal(df_segmenter_forward(alone, BATCH, false, NULL), 0);
        check_same_features(whole, alone);
    }
    /* Held against the official code's in test_features.c; here against that of another place in a batch. */
    assert_int_equal(df_segmenter_download_class_token(alone, 1, tokens[0]), 0);
    load_image(alone, 1, subject.image + (ptrdiff_t)3 * 112 * 140, NULL);
    assert_int_equal(df_segmenter_forward(alone, 1, false, NULL), 0);
    assert_int_equal(df_segmenter_download_class_token(alone, 0, tokens[1]), 0);
    assert_close("class token", tokens[1], tokens[0], 128, 1e-5);
    df_segmenter_free(alone);
    df_segmenter_free(whole);
    close_subject(&subject);
}

/* A model with the checkpoint's LoRA, or with the backbone as it is. decoder: NULL for none. */
static struct df_segmenter *open_adapted(struct df_backend *backend, const char *decoder, bool adapted)
{
    const struct df_segmenter_options options = {.decoder = decoder,
                                                 .classes = 21,
                                                 .n_features = 1,
                                                 .rank = 3,
                                                 .max_batch = BATCH,
                                                 .height = 112,
                                                 .width = 140,
                                                 .std = {1, 1, 1}};
    struct df_state *checkpoint = fixture_read("dinov2_tiny_reg/after5_lora_linear.pt");
    struct df_segmenter *segmenter =
        open_segmenter(backend, REGISTERS, &options, adapted ? checkpoint : NULL);
    df_state_free(checkpoint);
    return segmenter;
}

static void a_model_without_a_decoder_has_the_checkpoints_lora(void **state)
{
    struct subject subject = {.backend = test_open_backend("fp32", 2)};
    struct df_segmenter *whole = open_adapted(subject.backend, "linear", true);
    struct df_segmenter *alone = open_adapted(subject.backend, NULL, true);
    struct df_segmenter *plain = open_adapted(subject.backend, NULL, false);
    struct df_segmenter *const models[] = {whole, alone, plain};
    const size_t bytes = df_segmenter_feature_bytes(whole);
    char *adapted = malloc(bytes), *without = malloc(bytes);

    fill_batch(&subject);
    for (int i = 0; i < 3; i++) {
        load_image(models[i], BATCH, subject.image, NULL);
        assert_int_equal(df_segmenter_forward(models[i], BATCH, false, NULL), 0);
    }
    check_same_features(whole, alone);
    assert_int_equal(df_segmenter_planned_bytes(alone), df_segmenter_planned_bytes(plain));
    assert_int_equal(df_segmenter_download_features(alone, 0, 0, adapted), 0);
    assert_int_equal(df_segmenter_download_features(plain, 0, 0, without), 0);
    assert_memory_not_equal(adapted, without, bytes);
    free(adapted);
    free(without);
    for (int i = 0; i < 3; i++)
        df_segmenter_free(models[i]);
    close_subject(&subject);
}

static void a_batch_without_labels_moves_nothing_but_decay(void **state)
{
    struct subject subject;
    struct df_rng rng;
    struct df_step_result result;
    open_subject(&subject, REGISTERS, 14, "linear", 1.0, 2);
    memset(subject.labels, 255, BATCH * HEIGHT * WIDTH);
    df_rng_seed(&rng, 1, 1);
    struct df_parameters *parameters = &subject.segmenter->parameters;
    float *before = download_floats(subject.backend, parameters->values, 1);
    load_image(subject.segmenter, BATCH, subject.image, subject.labels);
    assert_int_equal(df_segmenter_train_step(subject.segmenter, BATCH, 1e-3, &rng, &result), 0);
    assert_int_equal(result.counted, 0);
    assert_true(isnan(result.loss));
    assert_true(result.gradient_norm == 0.0);
    float *gradients =
        download_floats(subject.backend, parameters->gradients, (size_t)df_parameters_length(parameters));
    float *after = download_floats(subject.backend, parameters->values, 1);
    for (int64_t i = 0; i < df_parameters_length(parameters); i++)
        assert_true(gradients[i] == 0.0f);
    assert_true(fabsf(*after - *before * (1.0f - 1e-5f)) <= 1e-7f);
    free(before);
    free(after);
    free(gradients);
    close_subject(&subject);
}

static void a_grid_too_small_for_the_fpn_is_refused(void **state)
{
    struct df_vit_config config;
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_state *weights = df_backbone_read(fixture_path(REGISTERS), &config);
    struct df_segmenter_options options = {.decoder = "fpn",
                                           .classes = 5,
                                           .max_batch = 1,
                                           .height = 84,
                                           .width = 112,
                                           .training = true,
                                           .optimizer = DF_OPTIMIZER_DEFAULTS};
    assert_null(df_segmenter_create(backend, weights, &config, &options, NULL, 0));
    assert_error_has("at least 98 x 98 pixels");
    options.height = 98;
    options.width = 98;
    struct df_segmenter *segmenter = df_segmenter_create(backend, weights, &config, &options, NULL, 0);
    assert_non_null(segmenter);
    df_segmenter_free(segmenter);
    df_state_free(weights);
    df_backend_close(backend);
}

static void a_checkpoint_of_other_shapes_is_refused(void **state)
{
    struct df_vit_config config;
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_state *weights = df_backbone_read(fixture_path(REGISTERS), &config);
    struct df_state *checkpoint = fixture_read("dinov2_tiny_reg/init_lora_linear.pt");
    struct df_segmenter_options options = {.decoder = "linear",
                                           .classes = 150,
                                           .rank = 3,
                                           .max_batch = 1,
                                           .height = 84,
                                           .width = 112,
                                           .training = true,
                                           .optimizer = DF_OPTIMIZER_DEFAULTS};
    assert_null(df_segmenter_create(backend, weights, &config, &options, checkpoint, 0));
    assert_string_equal(
        df_error_text(),
        "the checkpoint: classifier.weight is [21, 128, 1, 1], this model's is [150, 128, 1, 1]");
    options.classes = 21;
    options.rank = 4;
    assert_null(df_segmenter_create(backend, weights, &config, &options, checkpoint, 0));
    assert_string_equal(df_error_text(), "the checkpoint: w_a_000 is [3, 128], this model's is [4, 128]");
    df_state_free(checkpoint);
    df_state_free(weights);
    df_backend_close(backend);
}

static float value_of(const struct df_segmenter *segmenter, const char *name, size_t i)
{
    float *one = download_floats(segmenter->backend, find_parameter(segmenter, name)->value + i, 1);
    const float value = *one;

    free(one);
    return value;
}

static void new_models_start_as_pytorch_does(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_segmenter_options options = {.decoder = "fpn",
                                           .classes = 5,
                                           .rank = 8,
                                           .max_batch = 1,
                                           .height = 98,
                                           .width = 98,
                                           .training = true,
                                           .optimizer = DF_OPTIMIZER_DEFAULTS};
    struct df_segmenter *segmenter = open_segmenter(backend, REGISTERS, &options, NULL);
    float largest = 0.0f;

    float *a = download_floats(backend, find_parameter(segmenter, "w_a_003")->value, 8 * 128);
    for (int i = 0; i < 8 * 128; i++)
        largest = fmaxf(largest, fabsf(a[i]));
    free(a);
    assert_true(largest <= 1.0f / sqrtf(128.0f) && largest > 0.95f / sqrtf(128.0f));
    assert_true(value_of(segmenter, "w_b_003", 5) == 0.0f);
    assert_true(value_of(segmenter, "conv1.1.weight", 5) == 1.0f);
    assert_true(value_of(segmenter, "conv1.1.bias", 5) == 0.0f);
    assert_true(value_of(segmenter, "conv1.1.running_var", 5) == 1.0f);
    assert_true(fabsf(value_of(segmenter, "conv1.0.weight", 77)) <= 1.0f / sqrtf(9 * 128.0f));
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

static void assert_not_finite(struct subject *subject, const char *expected)
{
    char found[DF_NOT_FINITE_TEXT];

    assert_int_equal(df_segmenter_find_not_finite(subject->segmenter, BATCH, found), 0);
    assert_string_equal(found, expected);
}

static struct df_step_result train(struct subject *subject)
{
    struct df_step_result result;
    struct df_rng rng;

    df_rng_seed(&rng, 13, 0);
    load_image(subject->segmenter, BATCH, subject->image, subject->labels);
    assert_int_equal(df_segmenter_train_step(subject->segmenter, BATCH, 1e-3, &rng, &result), 0);
    return result;
}

static void a_step_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct subject subject;
    open_subject(&subject, REGISTERS, 14, "linear", 1.0, 2);
    struct df_backend *backend = subject.backend;
    const struct df_parameters *parameters = &subject.segmenter->parameters;
    const size_t length = (size_t)df_parameters_length(parameters);
    const float nan_itself = NAN, pixel = subject.image[7];

    assert_true(isfinite(train(&subject).gradient_norm));
    assert_not_finite(&subject, "");
    float *before = download_floats(backend, parameters->values, length);
    subject.image[7] = NAN;
    const struct df_step_result result = train(&subject);
    assert_true(isnan(result.loss) && isnan(result.gradient_norm));
    assert_true(!signbit(result.loss) && !signbit(result.gradient_norm)); /* printed as nan, not -nan */
    assert_not_finite(&subject, "the logits");
    float *after = download_floats(backend, parameters->values, length);
    assert_memory_equal(before, after, length * sizeof *before);
    subject.image[7] = pixel;
    assert_true(isfinite(train(&subject).loss));
    assert_not_finite(&subject, "");
    upload_floats(backend, find_parameter(subject.segmenter, "w_a_002")->gradient, &nan_itself, 1);
    upload_floats(backend, find_parameter(subject.segmenter, "w_b_001")->gradient + 3, &nan_itself, 1);
    assert_not_finite(&subject, "the gradient of w_b_001");
    upload_floats(backend, find_parameter(subject.segmenter, "w_b_000")->value, &nan_itself, 1);
    assert_not_finite(&subject, "the parameter w_b_000");
    free(before);
    free(after);
    close_subject(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(rope_rescaling_is_only_for_training),
        cmocka_unit_test(the_same_run_gives_the_same_bits),
        cmocka_unit_test(threads_change_rounding_only),
        cmocka_unit_test(a_smaller_batch_sees_the_same_images),
        cmocka_unit_test(logits_that_are_not_finite),
        cmocka_unit_test(given_features_train_the_same_decoder),
        cmocka_unit_test(a_model_without_a_decoder_finds_the_same_features),
        cmocka_unit_test(a_model_without_a_decoder_has_the_checkpoints_lora),
        cmocka_unit_test(a_batch_without_labels_moves_nothing_but_decay),
        cmocka_unit_test(a_step_that_is_not_finite_changes_nothing),
        cmocka_unit_test(a_grid_too_small_for_the_fpn_is_refused),
        cmocka_unit_test(a_checkpoint_of_other_shapes_is_refused),
        cmocka_unit_test(new_models_start_as_pytorch_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
