/* The 1x1 convolution: a matrix product over patch tokens. */
#include "decoder.h"

#include "dinoft/error.h"

#include <stdlib.h>

static int set_grid(struct df_decoder *decoder, int64_t grid_h, int64_t grid_w)
{
    decoder->shape.grid_h = decoder->logits_h = grid_h;
    decoder->shape.grid_w = decoder->logits_w = grid_w;
    return 0;
}

/* Its parameters, in the order that they are added. */
enum { WEIGHT, BIAS };

static struct df_decoder *create(struct df_backend *backend, const struct df_decoder_shape *shape,
                                 struct df_parameters *parameters)
{
    const int first = parameters->count;

    if (df_parameters_add(parameters, "classifier.weight", DF_PARAMETER_DECODER, DF_INIT_FAN_IN, shape->dim,
                          4, (int64_t[]){shape->classes, shape->dim, 1, 1}) != 0 ||
        df_parameters_add(parameters, "classifier.bias", DF_PARAMETER_DECODER, DF_INIT_FAN_IN, shape->dim, 1,
                          (int64_t[]){shape->classes}) != 0)
        return NULL;
    struct df_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        df_error_memory("the decoder", sizeof *decoder);
        return NULL;
    }
    *decoder = (struct df_decoder){.ops = &df_decoder_linear,
                                   .backend = backend,
                                   .shape = *shape,
                                   .parameters = parameters,
                                   .first = first};
    set_grid(decoder, shape->grid_h, shape->grid_w);
    return decoder;
}

static void free_decoder(struct df_decoder *decoder)
{
    free(decoder);
}

/* Tokens [batch * P, dim], logits or their gradient [batch * P, C], and weights [C, dim] as matrices. */
static struct df_matrix token_matrix(const struct df_decoder *decoder, const float *tokens, int64_t batch)
{
    int64_t rows = batch * decoder->shape.grid_h * decoder->shape.grid_w;
    return (struct df_matrix){(void *)tokens, DF_F32, rows, decoder->shape.dim, decoder->shape.dim};
}

static struct df_matrix logit_matrix(const struct df_decoder *decoder, float *logits, int64_t batch)
{
    int64_t rows = batch * decoder->logits_h * decoder->logits_w;
    return (struct df_matrix){logits, DF_F32, rows, decoder->shape.classes, decoder->shape.classes};
}

static struct df_matrix weight_matrix(const struct df_decoder *decoder, float *weight)
{
    return (struct df_matrix){weight, DF_F32, decoder->shape.classes, decoder->shape.dim, decoder->shape.dim};
}

static int forward(struct df_decoder *decoder, float *const features[], int64_t batch, bool training)
{
    const struct df_backend_ops *ops = decoder->backend->ops;
    struct df_matrix logits = logit_matrix(decoder, decoder->logits, batch);
    const struct df_parameter *own = &decoder->parameters->items[decoder->first];
    (void)training;

    DF_TRY(ops->matmul(decoder->backend, token_matrix(decoder, features[0], batch), false,
                       weight_matrix(decoder, own[WEIGHT].value), true, logits, false));
    return ops->add_bias(decoder->backend, logits, own[BIAS].value);
}

static int backward(struct df_decoder *decoder, float *const features[], int64_t batch,
                    float *const dfeatures[])
{
    const struct df_backend_ops *ops = decoder->backend->ops;
    struct df_matrix dlogits = logit_matrix(decoder, decoder->dlogits, batch);
    const struct df_parameter *own = &decoder->parameters->items[decoder->first];

    DF_TRY(ops->column_sum(decoder->backend, dlogits, own[BIAS].gradient));
    DF_TRY(ops->matmul(decoder->backend, dlogits, true, token_matrix(decoder, features[0], batch), false,
                       weight_matrix(decoder, own[WEIGHT].gradient), false));
    if (!dfeatures[0])
        return 0;
    return ops->matmul(decoder->backend, dlogits, false, weight_matrix(decoder, own[WEIGHT].value), false,
                       token_matrix(decoder, dfeatures[0], batch), false);
}

const struct df_decoder_ops df_decoder_linear = {
    .kind = {.name = "linear", .title = "linear (1x1 convolution)", .least_grid = 1, .n_features = 1},
    .classes = "classifier.weight",
    .input = "classifier.weight",
    .create = create,
    .free = free_decoder,
    .set_grid = set_grid,
    .plan = df_decoder_plan_logits,
    .forward = forward,
    .backward = backward,
};
