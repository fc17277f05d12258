#include "kept_features.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB 1048576.0

int kept_features_open(struct kept_features *features, int64_t count, size_t bytes, size_t memory,
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
    features->path = df_text_format("%s/.dinoft-features-%ld", folder, (long)getpid());
    if (!features->path)
        return -1;
    features->cache = df_feature_cache_in_file(features->path, &shape, 0);
    if (!features->cache)
        return -1;
    df_log("the features of all images take %.1f MiB, of memory there are %.1f to spare: they are kept in %s "
           "meanwhile",
           (double)all / MIB, (double)memory / MIB, folder);
    return 0;
}

void kept_features_close(struct kept_features *features)
{
    df_feature_cache_free(features->cache);
    free(features->path);
    free(features->room);
    memset(features, 0, sizeof *features);
}

/* The open file needs no name. */
int kept_features_finish(struct kept_features *features)
{
    const int status = df_feature_cache_finish(features->cache);

    if (features->path && unlink(features->path) != 0 && status == 0)
        return df_error_set("cannot remove %s: %s", features->path, strerror(errno));
    return status;
}

const float *kept_features_of(const struct kept_features *features, int64_t i)
{
    return df_feature_cache_record(features->cache, i, features->room);
}
