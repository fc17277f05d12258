#include "dinoft/kept_features.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0

int df_kept_features_open(struct df_kept_features *features, int64_t count, size_t bytes, size_t memory,
                          const char *folder)
{
    const struct df_feature_shape shape = {.count = count, .n_features = 1, .feature_bytes = bytes};
    size_t record, all;

    memset(features, 0, sizeof *features);
    if (df_feature_bytes(&shape, &record, &all) && all <= memory) {
        features->cache = df_feature_cache_in_memory(&shape);
        return features->cache ? 0 : -1;
    }
    features->room = malloc(bytes);
    if (!features->room)
        return df_error_memory("an image's features", bytes);
    features->cache = df_feature_cache_nameless(folder, &shape);
    if (!features->cache)
        return -1;
    df_log("the features of all images take %.1f MiB, of memory there are %.1f to spare: they are kept in %s "
           "meanwhile",
           (double)all / MIB, (double)memory / MIB, folder);
    return 0;
}

void df_kept_features_close(struct df_kept_features *features)
{
    df_feature_cache_free(features->cache);
    free(features->room);
    memset(features, 0, sizeof *features);
}

const float *df_kept_features_of(const struct df_kept_features *features, int64_t i)
{
    return df_feature_cache_record(features->cache, i, features->room);
}
