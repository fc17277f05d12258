/* A short training run whose losses every backend must find. */
#include "selftest.h"

#include "dinoft/backbone_file.h"
#include "dinoft/decoder_kind.h"
#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/rng.h"
#include "dinoft/segmenter.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>

/* A small model: two blocks of two heads on a grid that both decoders can take. */
#define DEPTH   2
#define HEADS   2
#define GRID    7
#define BATCH   2
#define CLASSES 5
#define RATE    3e-4

static struct df_vit_config small_vit(const struct selftest_setting *setting)
{
    struct df_vit_config vit = setting->vit;

    vit.depth = DEPTH;
    vit.heads = HEADS;
    vit.dim = HEADS * vit.head_size;
    vit.ffn_hidden = vit.ffn == DF_FFN_SWIGLU ? 2 * vit.dim : 4 * vit.dim;
    return vit;
}

/* With as many blocks as the decoder reads. */
static struct df_vit_config vit_for(const struct selftest_setting *setting, const char *decoder)
{
    struct df_vit_config vit = small_vit(setting);

    vit.depth = df_max_i64(vit.depth, df_decoder_kind_named(decoder)->n_features);
    return vit;
}

/* Random pixels; the class of a label is that of its square, so that there is something to learn. */
static void fill(uint8_t *images, uint8_t *labels, int64_t side, uint64_t seed)
{
    struct df_rng rng;

    df_rng_seed(&rng, seed, df_hash_text("selftest images"));
    for (int64_t i = 0; i < BATCH * side * side; i++) {
        const int64_t x = i % side, y = i / side % side, square = (x / 16 + y / 16) % (CLASSES + 1);
        labels[i] = square == CLASSES ? DF_IGNORE_LABEL : (uint8_t)square;
        for (int c = 0; c < 3; c++)
            images[3 * i + c] = (uint8_t)(40 * square + (int64_t)df_rng_below(&rng, 50));
    }
}

static int train(struct df_segmenter *segmenter, const uint8_t *images, const uint8_t *labels, int64_t steps,
                 double *losses)
{
    struct df_step_result result;

    for (int64_t i = 0; i < steps; i++) {
        DF_TRY(df_segmenter_load_pixels(segmenter, BATCH, images, labels));
        DF_TRY(df_segmenter_train_step(segmenter, BATCH, RATE, NULL, &result));
        losses[i] = result.loss;
    }
    struct df_backend *backend = df_segmenter_backend(segmenter);
    return backend->ops->wait(backend);
}

int selftest_losses(struct df_backend *backend, const struct selftest_setting *setting, const char *decoder,
                    int64_t steps, double *losses)
{
    const struct df_vit_config vit = vit_for(setting, decoder);
    const int64_t side = GRID * vit.patch;
    const struct df_segmenter_options options = {
        .decoder = decoder,
        .classes = CLASSES,
        .rank = setting->rank,
        .max_batch = BATCH,
        .height = side,
        .width = side,
        .training = true,
        .optimizer = DF_OPTIMIZER_DEFAULTS,
        .rope_rescale = 1.0,
        .std = {1.0f, 1.0f, 1.0f},
    };
    const size_t pixels = (size_t)(BATCH * side * side);
    struct df_state *backbone = df_backbone_random(&vit, setting->seed);
    struct df_segmenter *segmenter =
        backbone ? df_segmenter_create(backend, backbone, &vit, &options, NULL, setting->seed) : NULL;
    uint8_t *images = malloc(3 * pixels), *labels = malloc(pixels);
    int status = -1;

    assert(steps <= SELFTEST_STEPS_MAX);
    if (!segmenter)
        goto done;
    if (!images || !labels) {
        df_error_memory("a batch", 4 * pixels);
        goto done;
    }
    fill(images, labels, side, setting->seed);
    status = train(segmenter, images, labels, steps, losses);
done:
    free(images);
    free(labels);
    df_segmenter_free(segmenter);
    df_state_free(backbone);
    return status;
}
