#include "dinoft/extractor.h"

#include "dinoft/error.h"

#include <string.h>

static void plan(struct df_extractor *extractor)
{
    const int64_t values = 3 * extractor->max_batch * extractor->setup->height * extractor->setup->width;

    extractor->pixels = df_arena_take(&extractor->arena, "pixels", values, DF_U8);
    extractor->image = df_arena_take(&extractor->arena, "normalised image", values, DF_F32);
    df_vit_plan(extractor->vit, &extractor->arena);
}

int df_extractor_open(struct df_extractor *extractor, const struct df_setup *setup,
                      const struct df_extractor_options *options)
{
    const struct df_vit_options vit = {
        .max_batch = options->max_batch,
        .height = setup->height,
        .width = setup->width,
        .n_features = options->n_features,
        .class_tokens = options->class_tokens,
        .path = setup->weights_path,
        .fold = options->fold,
    };

    memset(extractor, 0, sizeof *extractor);
    extractor->setup = setup;
    extractor->max_batch = options->max_batch;
    df_arena_init(&extractor->arena, setup->backend);
    extractor->vit = df_vit_create(setup->backend, setup->backbone, &setup->vit, &vit);
    if (!extractor->vit)
        return -1;
    plan(extractor);
    DF_TRY(df_arena_commit(&extractor->arena));
    plan(extractor);
    return 0;
}

void df_extractor_close(struct df_extractor *extractor)
{
    df_vit_free(extractor->vit);
    df_arena_free(&extractor->arena);
    memset(extractor, 0, sizeof *extractor);
}

int df_extractor_run(struct df_extractor *extractor, int64_t count, const uint8_t *pixels)
{
    const struct df_setup *setup = extractor->setup;
    struct df_backend *backend = setup->backend;

    DF_TRY(backend->ops->upload(backend, extractor->pixels, pixels,
                                (size_t)(3 * count * setup->height * setup->width)));
    DF_TRY(backend->ops->image_normalize(backend, extractor->pixels, extractor->image, count, setup->height,
                                         setup->width, setup->mean, setup->std));
    return df_vit_forward(extractor->vit, extractor->image, count, false);
}
