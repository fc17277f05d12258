/* A training run's feature cache: whether there is one, and filling it with the backbone. Its records are the
 * training images' in the list's order, those of one view after the other where they are augmented, then the
 * validation images', unless these keep their ratio and so have sizes of their own. */
#ifndef DINOFT_CACHED_FEATURES_H
#define DINOFT_CACHED_FEATURES_H

#include "dinoft/feature_choice.h"

#include "dinoft/feature_cache.h"
#include "dinoft/loader.h"
#include "dinoft/model_parts.h"

#include <signal.h>

/* Features in memory that one run leaves to the next of the process; all 0: none. */
struct df_features_keeper {
    struct df_feature_cache *cache; /* finished */
    struct df_feature_shape shape;
    uint64_t key; /* of all that they depend on */
};
void df_features_keeper_close(struct df_features_keeper *keeper);

struct df_cached_features {
    enum df_feature_place place;
    struct df_feature_shape shape;
    int64_t views;                     /* of a training image */
    struct df_feature_cache *cache;    /* NULL: off. Not finished: to be filled */
    struct df_features_keeper *keeper; /* borrowed; NULL: none */
    uint64_t key;                      /* where there is a keeper */
};

struct df_feature_request {
    enum df_feature_place place;
    struct df_augment_options augment; /* of training images; by */
    uint64_t seed;
    bool used_again;                   /* the run goes through some view of an image more than once */
    char *path;                        /* of the file */
    struct df_features_keeper *keeper; /* has those of an earlier run, and gets these; NULL: none */
};

/* Decides, logs what was decided, and takes what an earlier run left or makes an empty cache. What the keeper
 * has is freed where this run keeps others. sets:
 * training and validation, which may be NULL. -1 with the error set; close it in either case. */
int df_cached_features_open(struct df_cached_features *features, const struct df_feature_request *request,
                            const struct df_setup *setup, const struct df_dataset *const sets[2]);
void df_cached_features_close(struct df_cached_features *features);

/* Computes what is missing, in batches of at most max_batch that the loaders (of the sets that have records;
 * else NULL) hand out in the list's order, unpacked. model: whose backbone finds it; NULL: one of its own,
 * for the time being. When *stop becomes non-zero it ends early, and the cache stays unfinished. */
int df_cached_features_fill(struct df_cached_features *features, const struct df_setup *setup,
                            struct df_segmenter *model, struct df_loader *const loaders[2], int64_t max_batch,
                            const volatile sig_atomic_t *stop);

#endif
