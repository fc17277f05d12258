/* The 1x1 convolutions: a matrix product over the patch tokens of one block, or of four, concatenated, behind
 * dropout and BatchNorm where these are wanted. */
#include "decoder_linear.h"

#include "decoder_concat.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>

static int set_grid(struct df_decoder *decoder, int64_t grid_h, int64_t grid_w)
{
    decoder->shape.grid_h = decoder->logits_h = grid_h;
    decoder->shape.grid_w = decoder->logits_w = grid_w;
    return 0;
}

/* The convolution's parameters, in the order that they are added. */
enum { WEIGHT, BIAS };

/* prefix: of their names, with the point. Behind BatchNorm they begin as DINOv3's linear head. */
static int add_classifier(const struct df_decoder_shape *shape, int64_t in, const char *prefix,
                          struct df_parameters *parameters)
{
    const bool norm = shape->head.norm == DF_HEAD_NORM_BN;
    const int64_t weight[4] = {shape->classes, in, 1, 1};
    char name[64];

    snprintf(name, sizeof name, "%sclassifier.weight", prefix);
    DF_TRY(df_parameters_add(parameters, name, DF_PARAMETER_DECODER, norm ? DF_INIT_NORMAL : DF_INIT_FAN_IN,
                             in, 4, weight));
    snprintf(name, sizeof name, "%sclassifier.bias", prefix);
    return df_parameters_add(parameters, name, DF_PARAMETER_DECODER, norm ? DF_INIT_ZERO : DF_INIT_FAN_IN, in,
                             1, &shape->classes);
}

static void free_decoder(struct df_decoder *decoder)
{
    df_decoder_input_close(&((struct df_linear *)decoder)->input);
    free(decoder);
}

static struct df_decoder *create(const struct df_decoder_ops *ops, const char *prefix,
                                 struct df_backend *backend, const struct df_decoder_shape *shape,
                                 struct df_parameters *parameters)
{
    struct df_linear *linear = calloc(1, sizeof *linear);

    if (!linear) {
        df_error_memory("the decoder", sizeof *linear);
        return NULL;
    }
    linear->base = (struct df_decoder){.ops = ops,
                                       .backend = backend,
                                       .shape = *shape,
                                       .parameters = parameters,
                                       .first = parameters->count};
    set_grid(&linear->base, shape->grid_h, shape->grid_w);
    if (df_decoder_input_open(&linear->input, shape, ops->inputs, prefix, parameters) != 0)
        goto fail;
    linear->classifier = parameters->count;
    if (add_classifier(shape, ops->inputs * shape->dim, prefix, parameters) != 0)
        goto fail;
    return &linear->base;
fail:
    free_decoder(&linear->base);
    return NULL;
}

/* Without a norm the reference project's names, who would read the same ones as if there were none. */
static struct df_decoder *create_linear(struct df_backend *backend, const struct df_decoder_shape *shape,
                                        struct df_parameters *parameters)
{
    const char *prefix = shape->head.norm == DF_HEAD_NORM_NONE ? "" : "linear.";
    return create(&df_decoder_linear, prefix, backend, shape, parameters);
}

static struct df_decoder *create_multi(struct df_backend *backend, const struct df_decoder_shape *shape,
                                       struct df_parameters *parameters)
{
    return create(&df_decoder_multi, "multi.", backend, shape, parameters);
}

static void plan(struct df_decoder *decoder, struct df_arena *arena)
{
    df_decoder_plan_logits(decoder, arena);
    df_decoder_input_plan(&((struct df_linear *)decoder)->input, &decoder->shape, arena);
}

static int draw(struct df_decoder *decoder, int64_t batch, struct df_rng *rng)
{
    return df_decoder_input_draw(&((struct df_linear *)decoder)->input, decoder->backend, batch, rng);
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
        float *map = df_decoder_input_map(&linear->input, i, features[i]);
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
    .create = create_linear,
    .free = free_decoder,
    .set_grid = set_grid,
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
    .create = create_multi,
    .free = free_decoder,
    .set_grid = set_grid,
    .plan = plan,
    .draw = draw,
    .forward = forward,
    .backward = backward,
};
