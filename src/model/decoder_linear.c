/* The 1x1 convolutions: a matrix product over the patch tokens of one block, or of four, concatenated. */
#include "decoder.h"
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

/* Its parameters, in the order that they are added. */
enum { WEIGHT, BIAS };

/* prefix: of their names, with the point. */
static int add_parameters(const char *prefix, int64_t in, int64_t classes, struct df_parameters *parameters)
{
    const int64_t weight[4] = {classes, in, 1, 1};
    char name[64];

    snprintf(name, sizeof name, "%sclassifier.weight", prefix);
    DF_TRY(df_parameters_add(parameters, name, DF_PARAMETER_DECODER, DF_INIT_FAN_IN, in, 4, weight));
    snprintf(name, sizeof name, "%sclassifier.bias", prefix);
    return df_parameters_add(parameters, name, DF_PARAMETER_DECODER, DF_INIT_FAN_IN, in, 1, &classes);
}

static struct df_decoder *create(const struct df_decoder_ops *ops, const char *prefix,
                                 struct df_backend *backend, const struct df_decoder_shape *shape,
                                 struct df_parameters *parameters)
{
    const int first = parameters->count;

    if (add_parameters(prefix, ops->inputs * shape->dim, shape->classes, parameters) != 0)
        return NULL;
    struct df_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        df_error_memory("the decoder", sizeof *decoder);
        return NULL;
    }
    *decoder = (struct df_decoder){
        .ops = ops, .backend = backend, .shape = *shape, .parameters = parameters, .first = first};
    set_grid(decoder, shape->grid_h, shape->grid_w);
    return decoder;
}

static struct df_decoder *create_linear(struct df_backend *backend, const struct df_decoder_shape *shape,
                                        struct df_parameters *parameters)
{
    return create(&df_decoder_linear, "", backend, shape, parameters);
}

static struct df_decoder *create_multi(struct df_backend *backend, const struct df_decoder_shape *shape,
                                       struct df_parameters *parameters)
{
    return create(&df_decoder_multi, "multi.", backend, shape, parameters);
}

static void free_decoder(struct df_decoder *decoder)
{
    free(decoder);
}

static struct df_concat classifier(const struct df_decoder *decoder, int64_t batch)
{
    const struct df_parameter *own = &decoder->parameters->items[decoder->first];

    return (struct df_concat){.n = decoder->ops->inputs,
                              .rows = batch * decoder->logits_h * decoder->logits_w,
                              .dim = decoder->shape.dim,
                              .out = decoder->shape.classes,
                              .weight = &own[WEIGHT],
                              .bias = &own[BIAS]};
}

static int forward(struct df_decoder *decoder, float *const features[], int64_t batch, bool training)
{
    const struct df_concat concat = classifier(decoder, batch);

    (void)training;
    return df_concat_forward(decoder->backend, &concat, features, decoder->logits);
}

static int backward(struct df_decoder *decoder, float *const features[], int64_t batch,
                    float *const dfeatures[])
{
    const struct df_concat concat = classifier(decoder, batch);

    return df_concat_backward(decoder->backend, &concat, features, decoder->dlogits, dfeatures);
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
    .plan = df_decoder_plan_logits,
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
    .plan = df_decoder_plan_logits,
    .forward = forward,
    .backward = backward,
};
