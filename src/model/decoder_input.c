#include "decoder_input.h"

#include "decoder_batchnorm.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>

static bool drops(const struct df_decoder_input *input)
{
    return input->drawn != NULL;
}

static bool norms(const struct df_decoder_input *input)
{
    return input->head.norm == DF_HEAD_NORM_BN;
}

int df_decoder_input_open(struct df_decoder_input *input, const struct df_decoder_shape *shape, int n,
                          const char *prefix, struct df_parameters *parameters)
{
    const size_t bytes = (size_t)(n * shape->max_batch * shape->dim) * sizeof *input->drawn;
    char name[64];

    *input = (struct df_decoder_input){
        .head = shape->head, .n = n, .dim = shape->dim, .max_batch = shape->max_batch};
    input->norm = parameters->count;
    snprintf(name, sizeof name, "%snorm", prefix);
    if (norms(input))
        DF_TRY(df_batchnorm_add(parameters, name, n * shape->dim));
    if (shape->training && shape->head.dropout > 0.0) {
        input->drawn = malloc(bytes);
        if (!input->drawn)
            return df_error_memory("what is dropped", bytes);
    }
    return 0;
}

void df_decoder_input_close(struct df_decoder_input *input)
{
    free(input->drawn);
}

/* In evaluation maps are normed one after the other, and each is read at once. */
void df_decoder_input_plan(struct df_decoder_input *input, const struct df_decoder_shape *shape,
                           struct df_arena *arena)
{
    const int64_t map = shape->max_batch * shape->grid_h * shape->grid_w * shape->dim;

    if (drops(input))
        input->factors =
            df_arena_take(arena, "dropout factors", input->n * input->max_batch * input->dim, DF_F32);
    if (norms(input)) {
        input->mean = df_arena_take(arena, "BatchNorm batch statistics", 2 * input->n * input->dim, DF_F32);
        input->rstd = input->mean ? input->mean + input->n * input->dim : NULL;
    }
    for (int i = 0; i < input->n; i++) {
        if (drops(input))
            input->dropped[i] = df_arena_take(arena, "patch tokens after dropout", map, DF_F32);
        if (norms(input))
            input->normed[i] = df_arena_take(arena, "patch tokens after BatchNorm", map, DF_F32);
    }
    if (norms(input) && shape->training)
        input->dmap = df_arena_take(arena, "gradient of patch tokens after BatchNorm", map, DF_F32);
}

int df_decoder_input_draw(struct df_decoder_input *input, struct df_backend *backend, int64_t batch,
                          struct df_rng *rng)
{
    const double dropped = input->head.dropout;
    const float kept = (float)(1.0 / (1.0 - dropped));

    if (!drops(input))
        return 0;
    for (int64_t image = 0; image < batch; image++)
        for (int64_t i = 0; i < input->n; i++)
            for (int64_t c = 0; c < input->dim; c++)
                input->drawn[(i * input->max_batch + image) * input->dim + c] =
                    df_rng_double(rng) < dropped ? 0.0f : kept;
    return backend->ops->upload(backend, input->factors, input->drawn,
                                (size_t)(input->n * input->max_batch * input->dim) * sizeof *input->drawn);
}

static int scale(const struct df_decoder_input *input, const struct df_decoder *decoder, int i,
                 const float *x, int64_t batch, float *y)
{
    const int64_t positions = decoder->shape.grid_h * decoder->shape.grid_w;

    return decoder->backend->ops->scale_channels(decoder->backend, x,
                                                 input->factors + i * input->max_batch * input->dim, batch,
                                                 positions, input->dim, y);
}

static struct df_batchnorm norm_of(const struct df_decoder_input *input, const struct df_decoder *decoder,
                                   int i, int64_t batch)
{
    const int64_t first = i * input->dim;

    return df_batchnorm_over(&decoder->parameters->items[input->norm], first, input->dim,
                             batch * decoder->shape.grid_h * decoder->shape.grid_w, input->mean + first,
                             input->rstd + first);
}

int df_decoder_input_forward(struct df_decoder_input *input, const struct df_decoder *decoder,
                             float *const features[], int64_t batch, bool training,
                             float *maps[DF_VIT_MAX_FEATURES])
{
    struct df_backend *backend = decoder->backend;

    for (int i = 0; i < input->n; i++) {
        maps[i] = features[i];
        if (training && drops(input)) {
            DF_TRY(scale(input, decoder, i, features[i], batch, input->dropped[i]));
            maps[i] = input->dropped[i];
        }
        if (norms(input)) {
            const struct df_batchnorm norm = norm_of(input, decoder, i, batch);
            DF_TRY(backend->ops->batchnorm_forward(backend, &norm, training, maps[i], input->normed[i]));
            maps[i] = input->normed[i];
        }
    }
    return 0;
}

float *df_decoder_input_map(const struct df_decoder_input *input, int i, float *feature)
{
    return norms(input) ? input->normed[i] : drops(input) ? input->dropped[i] : feature;
}

float *df_decoder_input_gradient(const struct df_decoder_input *input, float *dfeature)
{
    return dfeature ? dfeature : input->dmap;
}

int df_decoder_input_backward(const struct df_decoder_input *input, const struct df_decoder *decoder, int i,
                              const float *feature, int64_t batch, float *dmap)
{
    struct df_backend *backend = decoder->backend;
    const struct df_parameter *own = &decoder->parameters->items[input->norm];

    if (norms(input)) {
        const struct df_batchnorm norm = norm_of(input, decoder, i, batch);
        DF_TRY(backend->ops->batchnorm_backward(
            backend, &norm, drops(input) ? input->dropped[i] : feature, NULL, dmap, dmap,
            own[DF_NORM_WEIGHT].gradient + i * input->dim, own[DF_NORM_BIAS].gradient + i * input->dim));
    }
    return dmap && dmap != input->dmap && drops(input) ? scale(input, decoder, i, dmap, batch, dmap) : 0;
}
