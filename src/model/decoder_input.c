#include "decoder_input.h"

#include "decoder_batchnorm.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static bool drops(const struct df_decoder_input *input)
{
    return input->drawn != NULL;
}

static bool norms(const struct df_decoder *decoder)
{
    return decoder->shape.head.norm == DF_HEAD_NORM_BN;
}

static bool norms_patches(const struct df_decoder *decoder)
{
    return decoder->shape.head.norm == DF_HEAD_NORM_L2;
}

/* Dropout2d's factors, of all maps. */
static int64_t factor_count(const struct df_decoder *decoder)
{
    return decoder->ops->inputs * decoder->shape.max_batch * decoder->shape.dim;
}

int df_decoder_input_open(struct df_decoder_input *input, struct df_decoder *decoder, const char *prefix)
{
    const struct df_decoder_shape *shape = &decoder->shape;
    const size_t bytes = (size_t)factor_count(decoder) * sizeof *input->drawn;
    char name[64];

    assert(!norms_patches(decoder) || !shape->training);
    input->norm = decoder->parameters->count;
    snprintf(name, sizeof name, "%snorm", prefix);
    if (norms(decoder))
        DF_TRY(df_batchnorm_add(decoder->parameters, name, decoder->ops->inputs * shape->dim));
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
void df_decoder_input_plan(struct df_decoder_input *input, const struct df_decoder *decoder,
                           struct df_arena *arena)
{
    const struct df_decoder_shape *shape = &decoder->shape;
    const int64_t map = shape->max_batch * shape->grid_h * shape->grid_w * shape->dim;
    const int64_t channels = decoder->ops->inputs * shape->dim;

    if (drops(input))
        input->factors = df_arena_take(arena, "dropout factors", factor_count(decoder), DF_F32);
    if (norms(decoder)) {
        input->mean = df_arena_take(arena, "BatchNorm batch statistics", 2 * channels, DF_F32);
        input->rstd = input->mean ? input->mean + channels : NULL;
    }
    for (int i = 0; i < decoder->ops->inputs; i++) {
        if (drops(input))
            input->dropped[i] = df_arena_take(arena, "patch tokens after dropout", map, DF_F32);
        if (norms(decoder))
            input->normed[i] = df_arena_take(arena, "patch tokens after BatchNorm", map, DF_F32);
        if (norms_patches(decoder))
            input->normed[i] = df_arena_take(arena, "patch tokens of norm 1", map, DF_F32);
    }
    if (norms(decoder) && shape->training)
        input->dmap = df_arena_take(arena, "gradient of patch tokens after BatchNorm", map, DF_F32);
}

/* Where the factors of a map begin, and those of an image there. */
static int64_t factor_at(const struct df_decoder *decoder, int64_t i, int64_t image)
{
    return (i * decoder->shape.max_batch + image) * decoder->shape.dim;
}

int df_decoder_input_draw(struct df_decoder_input *input, const struct df_decoder *decoder, int64_t batch,
                          struct df_rng *rng)
{
    const double dropped = decoder->shape.head.dropout;
    const float kept = (float)(1.0 / (1.0 - dropped));

    if (!drops(input))
        return 0;
    for (int64_t image = 0; image < batch; image++)
        for (int64_t i = 0; i < decoder->ops->inputs; i++)
            for (int64_t c = 0; c < decoder->shape.dim; c++)
                input->drawn[factor_at(decoder, i, image) + c] = df_rng_double(rng) < dropped ? 0.0f : kept;
    return decoder->backend->ops->upload(decoder->backend, input->factors, input->drawn,
                                         (size_t)factor_count(decoder) * sizeof *input->drawn);
}

static int scale(const struct df_decoder_input *input, const struct df_decoder *decoder, int i,
                 const float *x, int64_t batch, float *y)
{
    const int64_t positions = decoder->shape.grid_h * decoder->shape.grid_w;

    return decoder->backend->ops->scale_channels(decoder->backend, x,
                                                 input->factors + factor_at(decoder, i, 0), batch, positions,
                                                 decoder->shape.dim, y);
}

static struct df_batchnorm norm_of(const struct df_decoder_input *input, const struct df_decoder *decoder,
                                   int i, int64_t batch)
{
    const int64_t first = i * decoder->shape.dim;

    return df_batchnorm_over(&decoder->parameters->items[input->norm], first, decoder->shape.dim,
                             batch * decoder->shape.grid_h * decoder->shape.grid_w, input->mean + first,
                             input->rstd + first);
}

int df_decoder_input_forward(struct df_decoder_input *input, const struct df_decoder *decoder,
                             float *const features[], int64_t batch, bool training,
                             float *maps[DF_VIT_MAX_FEATURES])
{
    struct df_backend *backend = decoder->backend;

    for (int i = 0; i < decoder->ops->inputs; i++) {
        maps[i] = features[i];
        if (training && drops(input)) {
            DF_TRY(scale(input, decoder, i, features[i], batch, input->dropped[i]));
            maps[i] = input->dropped[i];
        }
        if (norms(decoder)) {
            const struct df_batchnorm norm = norm_of(input, decoder, i, batch);
            DF_TRY(backend->ops->batchnorm_forward(backend, &norm, training, maps[i], input->normed[i]));
            maps[i] = input->normed[i];
        }
        if (norms_patches(decoder)) {
            DF_TRY(backend->ops->normalize_rows(backend, maps[i],
                                                batch * decoder->shape.grid_h * decoder->shape.grid_w,
                                                decoder->shape.dim, input->normed[i]));
            maps[i] = input->normed[i];
        }
    }
    return 0;
}

float *df_decoder_input_map(const struct df_decoder_input *input, const struct df_decoder *decoder, int i,
                            float *feature)
{
    return norms(decoder) ? input->normed[i] : drops(input) ? input->dropped[i] : feature;
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

    if (norms(decoder)) {
        const struct df_batchnorm norm = norm_of(input, decoder, i, batch);
        DF_TRY(backend->ops->batchnorm_backward(backend, &norm, drops(input) ? input->dropped[i] : feature,
                                                NULL, dmap, dmap,
                                                own[DF_NORM_WEIGHT].gradient + i * decoder->shape.dim,
                                                own[DF_NORM_BIAS].gradient + i * decoder->shape.dim));
    }
    return dmap && dmap != input->dmap && drops(input) ? scale(input, decoder, i, dmap, batch, dmap) : 0;
}
