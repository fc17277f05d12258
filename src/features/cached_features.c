#include "dinoft/cached_features.h"

#include "dinoft/feature_key.h"
#include "dinoft/available.h"
#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/extractor.h"
#include "dinoft/log.h"
#include "dinoft/progress.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0

/* --- deciding --- */

static struct df_feature_shape feature_shape(const struct df_setup *setup,
                                             const struct df_dataset *const sets[2],
                                             const struct df_augment_options *augment, int64_t views)
{
    const struct df_segmenter_options *model = &setup->model;
    const int64_t patch = setup->vit.patch;
    const int64_t tokens = (model->height / patch) * (model->width / patch);

    return (struct df_feature_shape){
        .count = views * sets[0]->count + (augment->keeps_ratio || !sets[1] ? 0 : sets[1]->count),
        .n_features = df_decoder_kind_named(model->decoder)->n_features,
        .feature_bytes = (size_t)(tokens * setup->vit.dim) * sizeof(float),
        .label_bytes = (size_t)(model->height * model->width),
    };
}

static int gather_facts(const struct df_cached_features *features, const struct df_feature_request *request,
                        const struct df_setup *setup, struct df_feature_facts *facts)
{
    size_t record;
    char *folder = df_path_folder(request->path);

    if (!folder)
        return -1;
    *facts = (struct df_feature_facts){
        .wanted = request->place,
        .lora = df_trains_lora(&setup->model),
        .rope_rescaled = setup->vit.family == DF_DINOV3 && setup->model.rope_rescale > 1.0,
        .augmented = request->augment.kind != DF_AUGMENT_NONE,
        .has_views = request->augment.views > 0,
        .used_again = request->used_again,
        .memory = df_available_memory(),
        .disk = df_available_disk(folder),
    };
    free(folder);
    if (!df_feature_bytes(&features->shape, &record, &facts->bytes))
        facts->bytes = SIZE_MAX;
    return 0;
}

/* --- opening --- */

/* The file of an earlier run, if it is there and still right. A wrong one is replaced where a file is wanted,
 * but never what is none of ours. */
static int open_file(struct df_cached_features *features, const char *path, uint64_t key)
{
    const enum df_feature_file state = df_feature_cache_open(path, &features->shape, key, &features->cache);

    if (state == DF_FEATURE_FILE_WHOLE)
        df_log("the features in %s are of this backbone and these images: nothing is computed again", path);
    if (state == DF_FEATURE_FILE_STALE || state == DF_FEATURE_FILE_DAMAGED)
        df_log("%s: computed anew", df_error_text());
    if (state == DF_FEATURE_FILE_FOREIGN)
        return -1;
    if (!features->cache)
        features->cache = df_feature_cache_in_file(path, &features->shape, key);
    return features->cache ? 0 : -1;
}

/* A key of images as they are is that of earlier versions. */
static uint64_t with_augmentation(uint64_t key, const struct df_feature_request *request)
{
    char text[DF_AUGMENT_TEXT_MAX];
    struct df_digest digest;

    if (!df_augment_changes(&request->augment))
        return key;
    df_augment_text(&request->augment, text);
    df_digest_start(&digest);
    df_digest_add_number(&digest, key);
    df_digest_add_text(&digest, text);
    if (request->augment.kind != DF_AUGMENT_NONE)
        df_digest_add_number(&digest, request->seed);
    return df_digest_value(&digest);
}

static int find_key(struct df_cached_features *features, const struct df_feature_request *request,
                    const struct df_setup *setup, const struct df_dataset *const sets[2])
{
    DF_TRY(df_feature_key(setup, sets, sets[1] ? 2 : 1, features->shape.n_features, &features->key));
    features->key = with_augmentation(features->key, request);
    return 0;
}

static int open_cache(struct df_cached_features *features, const struct df_feature_request *request,
                      const struct df_setup *setup, const struct df_dataset *const sets[2])
{
    if (features->place == DF_FEATURES_IN_MEMORY) {
        features->cache = df_feature_cache_in_memory(&features->shape);
        return features->cache ? 0 : -1;
    }
    if (!features->keeper)
        DF_TRY(find_key(features, request, setup, sets));
    return open_file(features, request->path, features->key);
}

/* --- an earlier run's --- */

void df_features_keeper_close(struct df_features_keeper *keeper)
{
    df_feature_cache_free(keeper->cache);
    *keeper = (struct df_features_keeper){0};
}

static bool is_equal_shape(const struct df_feature_shape *a, const struct df_feature_shape *b)
{
    return a->count == b->count && a->n_features == b->n_features && a->feature_bytes == b->feature_bytes &&
           a->label_bytes == b->label_bytes;
}

/* What it has serves again, or goes, so that its memory counts for this run: but not for one that keeps none.
 */
static int look_into_keeper(struct df_cached_features *features, const struct df_feature_request *request,
                            const struct df_setup *setup, const struct df_dataset *const sets[2],
                            struct df_feature_facts *facts)
{
    struct df_features_keeper *keeper = request->keeper;
    const bool in_memory = request->place == DF_FEATURES_AUTO || request->place == DF_FEATURES_IN_MEMORY;

    if (!df_features_stay(facts) || request->place == DF_FEATURES_OFF)
        return 0;
    features->keeper = keeper;
    DF_TRY(find_key(features, request, setup, sets));
    if (keeper->cache && in_memory && keeper->key == features->key &&
        is_equal_shape(&keeper->shape, &features->shape)) {
        features->cache = keeper->cache;
        keeper->cache = NULL;
        return 0;
    }
    df_features_keeper_close(keeper);
    facts->memory = df_available_memory();
    return 0;
}

static void log_place(const struct df_cached_features *features, size_t bytes, const char *path)
{
    if (features->place == DF_FEATURES_IN_MEMORY)
        df_log("features are computed once and kept in memory: %.1f MiB", (double)bytes / MIB);
    else if (!df_feature_cache_is_finished(features->cache))
        df_log("features are computed once and kept in %s: %.1f MiB", path, (double)bytes / MIB);
}

int df_cached_features_open(struct df_cached_features *features, const struct df_feature_request *request,
                            const struct df_setup *setup, const struct df_dataset *const sets[2])
{
    struct df_feature_facts facts;

    memset(features, 0, sizeof *features);
    features->views = df_max_i64(1, request->augment.views);
    features->shape = feature_shape(setup, sets, &request->augment, features->views);
    DF_TRY(gather_facts(features, request, setup, &facts));
    if (request->keeper)
        DF_TRY(look_into_keeper(features, request, setup, sets, &facts));
    if (features->cache) {
        df_log("the features of the run before are of this backbone and these images: nothing is computed "
               "again");
        features->place = DF_FEATURES_IN_MEMORY;
        return 0;
    }
    DF_TRY(df_feature_choose(&facts, &features->place));
    if (features->place == DF_FEATURES_OFF)
        return 0;
    if (open_cache(features, request, setup, sets) == 0) {
        log_place(features, facts.bytes, request->path);
        return 0;
    }
    if (request->place != DF_FEATURES_AUTO)
        return -1;
    df_log("features are computed anew in each epoch: %s", df_error_text());
    features->place = DF_FEATURES_OFF;
    return 0;
}

void df_cached_features_close(struct df_cached_features *features)
{
    const bool stays = features->keeper && features->cache && features->place == DF_FEATURES_IN_MEMORY &&
                       df_feature_cache_is_finished(features->cache);

    if (stays)
        *features->keeper = (struct df_features_keeper){features->cache, features->shape, features->key};
    else
        df_feature_cache_free(features->cache);
    features->cache = NULL;
}

/* --- filling --- */

struct filling {
    struct df_feature_shape shape;
    struct df_feature_cache *cache;
    struct df_segmenter *extractor;
    const volatile sig_atomic_t *stop;
    struct df_progress *progress;
    char *record;
    int64_t batches, images; /* done so far */
};

static int append_image(struct filling *filling, const struct df_batch *batch, int64_t i)
{
    const size_t bytes = filling->shape.feature_bytes, label_bytes = filling->shape.label_bytes;
    const int n_features = (int)filling->shape.n_features;

    for (int n = 0; n < n_features; n++)
        DF_TRY(df_segmenter_download_features(filling->extractor, i, n, filling->record + (size_t)n * bytes));
    memcpy(filling->record + (size_t)n_features * bytes, batch->labels + (size_t)i * label_bytes,
           label_bytes);
    return df_feature_cache_append(filling->cache, filling->record);
}

/* What an epoch shows. */
static int fill_from(struct filling *filling, struct df_loader *loader, int64_t epoch)
{
    struct df_batch batch;
    int more = 0;

    DF_TRY(df_loader_start(loader, epoch, 0));
    while (!*filling->stop && (more = df_loader_next(loader, &batch)) == 1) {
        DF_TRY(df_segmenter_load_pixels(filling->extractor, batch.count, batch.pixels, NULL));
        DF_TRY(df_segmenter_forward(filling->extractor, batch.count, false, NULL));
        for (int64_t i = 0; i < batch.count; i++)
            DF_TRY(append_image(filling, &batch, i));
        filling->images += batch.count;
        df_progress_update(filling->progress, ++filling->batches, filling->images, NAN);
    }
    return more < 0 ? -1 : 0;
}

int df_cached_features_fill(struct df_cached_features *features, const struct df_setup *setup,
                            struct df_segmenter *model, struct df_loader *const loaders[2], int64_t max_batch,
                            const volatile sig_atomic_t *stop)
{
    const int64_t batches =
        features->views * df_loader_batches(loaders[0]) + (loaders[1] ? df_loader_batches(loaders[1]) : 0);
    struct filling filling = {.shape = features->shape, .cache = features->cache, .stop = stop};
    int status = -1;

    filling.progress = df_progress_open(stderr, "features", batches);
    filling.record = malloc(df_feature_cache_record_bytes(features->cache));
    if (!filling.record) {
        df_error_memory("an image's features", df_feature_cache_record_bytes(features->cache));
        goto done;
    }
    filling.extractor = model ? model
                              : df_extractor_open(setup, max_batch, (int)features->shape.n_features,
                                                  setup->model.head.layers, false);
    if (!filling.extractor)
        goto done;
    for (int64_t view = 0; view < features->views && !*stop; view++) {
        if (fill_from(&filling, loaders[0], view) != 0)
            goto done;
    }
    if (!*stop && loaders[1] && fill_from(&filling, loaders[1], 0) != 0)
        goto done;
    status = *stop && filling.images < features->shape.count ? 0 : df_feature_cache_finish(features->cache);
done:
    df_progress_close(filling.progress);
    if (!model)
        df_segmenter_free(filling.extractor);
    free(filling.record);
    return status;
}
