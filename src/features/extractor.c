#include "dinoft/extractor.h"

#include "dinoft/batch_hint.h"
#include "dinoft/error.h"

#include <string.h>

static void plan(struct df_extractor *extractor)
{
    const int64_t values =
        3 * extractor->max_batch * extractor->setup->model.height * extractor->setup->model.width;

    extractor->pixels = df_arena_take(&extractor->arena, "pixels", values, DF_U8);
    extractor->image = df_arena_take(&extractor->arena, "normalised image", values, DF_F32);
    df_vit_plan(extractor->vit, &extractor->arena);
}

/* Its memory counted but not taken. Without a backbone no weights are packed. */
static int create_counted(struct df_extractor *extractor, const struct df_setup *setup,
                          const struct df_state *backbone, const struct df_extractor_options *options)
{
    const struct df_vit_options vit = {
        .max_batch = options->max_batch,
        .height = setup->model.height,
        .width = setup->model.width,
        .n_features = options->n_features,
        .class_tokens = options->class_tokens,
        .path = setup->weights_path,
        .fold = options->fold,
    };

    memset(extractor, 0, sizeof *extractor);
    extractor->setup = setup;
    extractor->max_batch = options->max_batch;
    df_arena_init(&extractor->arena, setup->backend);
    extractor->vit = df_vit_create(setup->backend, backbone, &setup->vit, &vit);
    if (!extractor->vit)
        return -1;
    plan(extractor);
    return 0;
}

struct wish {
    const struct df_setup *setup;
    const struct df_extractor_options *options;
};

static int planned_bytes(const void *context, int64_t batch, size_t *bytes)
{
    const struct wish *wish = context;
    struct df_extractor_options options = *wish->options;
    struct df_extractor counted;

    options.max_batch = batch;
    options.fold = NULL;
    const int status = create_counted(&counted, wish->setup, NULL, &options);
    *bytes = counted.arena.peak;
    df_extractor_close(&counted);
    return status;
}

int df_extractor_open(struct df_extractor *extractor, const struct df_setup *setup,
                      const struct df_extractor_options *options)
{
    const struct wish wish = {setup, options};

    DF_TRY(create_counted(extractor, setup, setup->backbone, options));
    if (df_arena_commit(&extractor->arena) != 0)
        return df_batch_hint(setup->backend, options->max_batch, planned_bytes, &wish);
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
                                (size_t)(3 * count * setup->model.height * setup->model.width)));
    DF_TRY(backend->ops->image_normalize(backend, extractor->pixels, extractor->image, count,
                                         setup->model.height, setup->model.width, setup->model.mean,
                                         setup->model.std));
    return df_vit_forward(extractor->vit, extractor->image, count, false);
}
