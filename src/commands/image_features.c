#include "image_features.h"

#include "inputs.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

int image_features_open(struct image_features *features, int n_features, bool class_tokens)
{
    const struct df_setup *setup = &features->setup;
    const size_t bytes = (size_t)(setup->model.height * setup->model.width * 3);
    const struct df_extractor_options options = {
        .max_batch = 1,
        .n_features = n_features,
        .class_tokens = class_tokens,
        .fold = setup->checkpoint ? setup->checkpoint->state : NULL,
    };

    DF_TRY(df_extractor_open(&features->extractor, setup, &options));
    features->patches = df_vit_grid_h(features->extractor.vit) * df_vit_grid_w(features->extractor.vit);
    features->pixels = malloc(bytes);
    return features->pixels ? 0 : df_error_memory("an image", bytes);
}

void image_features_close(struct image_features *features)
{
    df_extractor_close(&features->extractor);
    df_setup_close(&features->setup);
    free(features->pixels);
    memset(features, 0, sizeof *features);
}

int image_features_run(struct image_features *features, const char *path, int64_t *height, int64_t *width)
{
    const struct df_setup *setup = &features->setup;
    struct df_image image = {0};

    DF_TRY(input_read(path, setup->model.height, setup->model.width, &image, features->pixels));
    if (height)
        *height = image.height;
    if (width)
        *width = image.width;
    df_image_free(&image);
    return df_extractor_run(&features->extractor, 1, features->pixels);
}

static int fetch(const struct image_features *features, const float *device, int64_t count, float *values)
{
    struct df_backend *backend = features->setup.backend;

    DF_TRY(backend->ops->download(backend, values, device, (size_t)count * sizeof *values));
    if (df_all_finite(values, (size_t)count))
        return 0;
    return df_error_set(
        "the features are not finite numbers: weights of the backbone or of LoRA are damaged, or "
        "too large");
}

int image_features_patches(const struct image_features *features, int layer, float *values)
{
    return fetch(features, df_vit_feature(features->extractor.vit, layer),
                 features->patches * features->setup.vit.dim, values);
}

int image_features_class_token(const struct image_features *features, float *values)
{
    return fetch(features, df_vit_class_token(features->extractor.vit), features->setup.vit.dim, values);
}
