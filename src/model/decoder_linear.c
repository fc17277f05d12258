/* The 1x1 convolutions: a matrix product over the patch tokens of one block, or of four, concatenated, behind
 * dropout and BatchNorm where these are wanted. */
#include "decoder_linear.h"

#include "decoder_concat.h"

#include "dinoft/error.h"

#include <stdio.h>

/* The convolution's parameters, in the order that they are added. */
enum { WEIGHT, BIAS };

/* prefix: of their names, with the point. Behind BatchNorm they begin as DINOv3's linear head. */
static int add_classifier(struct df_decoder *decoder, const char *prefix)
{
    const bool norm = decoder->shape.head.norm == DF_HEAD_NORM_BN;
    const int64_t in = decoder->ops->inputs * decoder->shape.dim;
    const int64_t weight[4] = {decoder->shape.classes, in, 1, 1};
    char name[64];

    snprintf(name, sizeof name, "%sclassifier.weight", prefix);
    DF_TRY(df_parameters_add(decoder->parameters, name, DF_PARAMETER_DECODER,
                             norm ? DF_INIT_NORMAL : DF_INIT_FAN_IN, in, 4, weight));
    snprintf(name, sizeof name, "%sclassifier.bias", prefix);
    return df_parameters_add(decoder->parameters, name, DF_PARAMETER_DECODER,
                             norm ? DF_INIT_ZERO : DF_INIT_FAN_IN, in, 1, &decoder->shape.classes);
}

static int open_decoder(struct df_decoder *decoder)
{
    struct df_linear *linear = (struct df_linear *)decoder;
    char prefix[32];

    snprintf(prefix, sizeof prefix, "%s.", decoder->ops->kind.name);
    /* The reference project's names, who would read the same ones behind a norm as if there were none. */
    if (df_head_is_of_reference(&decoder->ops->kind, &decoder->shape.head))
        prefix[0] = '\0';
    DF_TRY(df_decoder_input_open(&linear->input, decoder, prefix));
    linear->classifier = decoder->parameters->count;
    return add_classifier(decoder, prefix);
}

static void close_decoder(struct df_decoder *decoder)
{
    df_decoder_input_close(&((struct df_linear *)decoder)->input);
}

static void plan(struct df_decoder *decoder, struct df_arena *arena)
{
    df_decoder_plan_logits(decoder, arena);
    df_decoder_input_plan(&((struct df_linear *)decoder)->input, decoder, arena);
}

static int draw(struct df_decoder *decoder, int64_t batch, struct df_rng *rng)
{
    return df_decoder_input_draw(&((struct df_linear *)decoder)->input, decoder, batch, rng);
}

static struct df_concat classifier(const struct df_linear *linear, int64_t batch)
{
    const struct df_decoder *decoder = &linear->base;
    const struct df_parameter *own = &decoder->parameters->items[linear->classifier];

    return (struct df_concat){.n = decoder->ops->inputs,
                              .rows = batch * decoder->logits_h * decoder->logits_w,
                              .dim = decoder->shape.dim,
                              .out = decoder->shape.classes,
                              .weight = &own[WEIGHT],
                              .bias = &own[BIAS]};
}

static int forward(struct df_decoder *decoder, float *const features[], int64_t batch, bool training)
{
    struct df_linear *linear = (struct df_linear *)decoder;
    const struct df_concat concat = classifier(linear, batch);
    float *maps[DF_VIT_MAX_FEATURES];

    DF_TRY(df_decoder_input_forward(&linear->input, decoder, features, batch, training, maps));
    return df_concat_forward(decoder->backend, &concat, maps, decoder->logits);
}

static int backward(struct df_decoder *decoder, float *const features[], int64_t batch,
                    float *const dfeatures[])
{
    struct df_linear *linear = (struct df_linear *)decoder;
    const struct df_concat concat = classifier(linear, batch);

    DF_TRY(df_concat_backward_bias(decoder->backend, &concat, decoder->dlogits));
    for (int i = 0; i < concat.n; i++) {
        float *map = df_decoder_input_map(&linear->input, decoder, i, features[i]);
        float *dmap = df_decoder_input_gradient(&linear->input, dfeatures[i]);
        DF_TRY(df_concat_backward_map(decoder->backend, &concat, i, map, decoder->dlogits, dmap));
        DF_TRY(df_decoder_input_backward(&linear->input, decoder, i, features[i], batch, dmap));
    }
    return 0;
}

const struct df_decoder_ops df_decoder_linear = {
    .kind = {.choice = DF_DECODER_LINEAR,
             .name = "linear",
             .title = "linear (1x1 convolution)",
             .least_grid = 1,
             .n_features = 1,
             .of_reference = true},
    .classes = "classifier.weight",
    .input = "classifier.weight",
    .inputs = 1,
    .size = sizeof(struct df_linear),
    .open = open_decoder,
    .close = close_decoder,
    .set_grid = df_decoder_keep_grid,
    .plan = plan,
    .draw = draw,
    .forward = forward,
    .backward = backward,
};

const struct df_decoder_ops df_decoder_multi = {
    .kind = {.choice = DF_DECODER_MULTI,
             .name = "multi",
             .title = "multi (1x1 convolution over four blocks)",
             .least_grid = 1,
             .n_features = 4},
    .classes = "multi.classifier.weight",
    .input = "multi.classifier.weight",
    .inputs = 4,
    .size = sizeof(struct df_linear),
    .open = open_decoder,
    .close = close_decoder,
    .set_grid = df_decoder_keep_grid,
    .plan = plan,
    .draw = draw,
    .forward = forward,
    .backward = backward,
};
