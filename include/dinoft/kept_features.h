/* Features of many images, kept until a command has used them for the last time: in memory, or in a file
 * without a name, which is gone when the command ends, however it ends. */
#ifndef DINOFT_KEPT_FEATURES_H
#define DINOFT_KEPT_FEATURES_H

#include "dinoft/feature_cache.h"

struct df_kept_features {
    struct df_feature_cache *cache; /* to append to, and once finished to read from */
    float *room;                    /* of one image's features, for those that lie in a file */
};

/* For the features of `count` images, `bytes` each: in memory if all together take at most `memory` bytes,
 * else in a file in the folder. Logs where, if it is a file. -1 with the error set; close it in either case.
 */
int df_kept_features_open(struct df_kept_features *features, int64_t count, size_t bytes, size_t memory,
                          const char *folder);
void df_kept_features_close(struct df_kept_features *features);

/* Image i's, once the cache is finished; valid until the next call; NULL with the error set. */
const float *df_kept_features_of(const struct df_kept_features *features, int64_t i);

#endif
