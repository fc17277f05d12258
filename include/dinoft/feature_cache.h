/* What a frozen backbone finds in each image, and the image's labels, kept in memory or in a file, so that a
 * decoder is trained without the backbone.
 *
 * A record is one image's: n_features maps float32 [P, dim], then the labels uint8 [H, W]. Records are
 * appended in order, all of them, and read in any order.
 *
 * A file begins with a header that holds a key: a digest of all that the records depend on. Every record has
 * a digest of its own, which is checked whenever it is read. The file appears whole or not at all, and takes
 * the place of another feature file only. */
#ifndef DINOFT_FEATURE_CACHE_H
#define DINOFT_FEATURE_CACHE_H

#include "dinoft/choice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where features are kept. */
#define DF_FEATURE_PLACES(X)                                                                                 \
    X(DF_FEATURES_AUTO, "auto")                                                                              \
    X(DF_FEATURES_IN_MEMORY, "memory") X(DF_FEATURES_IN_FILE, "file") X(DF_FEATURES_OFF, "off")
enum df_feature_place { DF_FEATURE_PLACES(DF_CHOICE_ID) };

struct df_feature_shape {
    int64_t count; /* records */
    int64_t n_features;
    size_t feature_bytes; /* of one map */
    size_t label_bytes;
};

/* Bytes of one record, and of all together as they are stored; false when no machine can address as many. */
bool df_feature_bytes(const struct df_feature_shape *shape, size_t *record, size_t *all);

struct df_feature_cache;

/* An empty cache in memory; the pages are taken as they are filled. NULL with the error set. */
struct df_feature_cache *df_feature_cache_in_memory(const struct df_feature_shape *shape);

/* An empty cache that becomes the file PATH when it is finished; its disk space is reserved now. NULL with
 * the error set. */
struct df_feature_cache *df_feature_cache_in_file(const char *path, const struct df_feature_shape *shape,
                                                  uint64_t key);

enum df_feature_file {
    DF_FEATURE_FILE_WHOLE,   /* can be read */
    DF_FEATURE_FILE_ABSENT,  /* nothing has that name */
    DF_FEATURE_FILE_STALE,   /* of another key or shape: may be replaced */
    DF_FEATURE_FILE_DAMAGED, /* a feature file that lacks bytes or has wrong ones: may be replaced */
    DF_FEATURE_FILE_FOREIGN  /* cannot be opened, or is no feature file: must not be touched */
};

/* Opens a finished file after reading all of it. *cache is NULL but for a whole file; the error text says why
 * for a stale, damaged or foreign one. */
enum df_feature_file df_feature_cache_open(const char *path, const struct df_feature_shape *shape,
                                           uint64_t key, struct df_feature_cache **cache);

/* NULL is allowed. An unfinished file is removed; the error text is kept. */
void df_feature_cache_free(struct df_feature_cache *cache);

int df_feature_cache_append(struct df_feature_cache *cache, const void *record);

/* After the last record: makes the file, if it is one, and lets records be read. */
int df_feature_cache_finish(struct df_feature_cache *cache);
bool df_feature_cache_is_finished(const struct df_feature_cache *cache);

size_t df_feature_cache_record_bytes(const struct df_feature_cache *cache);

/* Record i: where it lies in memory, or a copy in buffer (record_bytes). NULL with the error set for one that
 * is damaged or cannot be read. */
const void *df_feature_cache_record(const struct df_feature_cache *cache, int64_t i, void *buffer);

/* Record i will be read soon: the system may fetch it meanwhile. */
void df_feature_cache_expect(const struct df_feature_cache *cache, int64_t i);

#endif
