/* Uploading features to the model, and downloading them. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <assert.h>

size_t df_segmenter_feature_bytes(const struct df_segmenter *segmenter)
{
    return (size_t)segmenter_feature_count(segmenter, 1) * sizeof(float);
}

int df_segmenter_load_features(struct df_segmenter *segmenter, int64_t i, const void *features)
{
    struct df_backend *backend = segmenter->backend;
    const size_t bytes = df_segmenter_feature_bytes(segmenter);

    assert(!df_trains_lora(&segmenter->options) && i >= 0 && i < segmenter->options.max_batch);
    segmenter->features_loaded = true;
    for (int n = 0; n < segmenter->n_features; n++)
        DF_TRY(backend->ops->upload(backend, (char *)segmenter->features[n] + (size_t)i * bytes,
                                    (const char *)features + (size_t)n * bytes, bytes));
    return 0;
}

int df_segmenter_download_features(const struct df_segmenter *segmenter, int64_t i, int block, void *features)
{
    struct df_backend *backend = segmenter->backend;

    assert(block >= 0 && block < segmenter->n_features);
    return backend->ops->download(backend, features,
                                  segmenter->features[block] + segmenter_feature_count(segmenter, i),
                                  df_segmenter_feature_bytes(segmenter));
}

int df_segmenter_download_class_token(const struct df_segmenter *segmenter, int64_t i, float *token)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t dim = segmenter->config.dim;

    return backend->ops->download(backend, token, df_vit_class_token(segmenter->vit) + i * dim,
                                  (size_t)dim * sizeof *token);
}
