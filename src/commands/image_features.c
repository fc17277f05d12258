#include "image_features.h"

#include "dinoft/error.h"

#include <string.h>

int image_features_open(struct image_features *features, int n_features, bool class_tokens)
{
    const struct df_setup *setup = &features->setup;

    features->extractor = df_extractor_open(setup, 1, n_features, DF_LAYERS_LAST, class_tokens);
    if (!features->extractor)
        return -1;
    features->grid_h = setup->model.height / setup->vit.patch;
    features->grid_w = setup->model.width / setup->vit.patch;
    features->patches = features->grid_h * features->grid_w;
    return 0;
}

void image_features_close(struct image_features *features)
{
    df_segmenter_free(features->extractor);
    df_setup_close(&features->setup);
    memset(features, 0, sizeof *features);
}

void image_features_release(struct image_features *features)
{
    df_segmenter_free(features->extractor);
    features->extractor = NULL;
}

int image_features_each(struct image_features *features, const struct df_config *config,
                        struct inputs *inputs, each_input_work *work, void *context)
{
    const struct decode_options options = {.reading = &config->reading,
                                           .height = features->setup.model.height,
                                           .width = features->setup.model.width,
                                           .only_resized = true};

    return each_input_in_order(inputs, &options, config->num_workers, "features", work, context);
}

int image_features_run(struct image_features *features, const uint8_t *pixels)
{
    DF_TRY(df_segmenter_load_pixels(features->extractor, 1, pixels, NULL));
    return df_segmenter_forward(features->extractor, 1, false, NULL);
}

static int check(const float *values, int64_t count)
{
    if (df_all_finite(values, (size_t)count))
        return 0;
    return df_error_set(
        "the features are not finite numbers: weights of the backbone or of LoRA are damaged, or "
        "too large");
}

int image_features_patches(const struct image_features *features, int layer, float *values)
{
    DF_TRY(df_segmenter_download_features(features->extractor, 0, layer, values));
    return check(values, features->patches * features->setup.vit.dim);
}

int image_features_class_token(const struct image_features *features, float *values)
{
    DF_TRY(df_segmenter_download_class_token(features->extractor, 0, values));
    return check(values, features->setup.vit.dim);
}
