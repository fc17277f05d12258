/* What a model is fed with, a batch at a time: images that a loader reads, or features that were computed
 * before. The order of the samples is the same. */
#ifndef DINOFT_FEED_H
#define DINOFT_FEED_H

#include "dinoft/feature_cache.h"
#include "dinoft/loader.h"
#include "dinoft/segmenter.h"

struct df_feed_options {
    int64_t first, count; /* the cache's records that are this data set's samples, */
    int64_t views;        /* which are followed by those of the next epoch, and so on for so many; 0: there is
                             one view */
    struct df_label_census
        *census; /* the data set's: counts the labels that nobody has read yet; NULL: none does */
    int64_t batch_size;
    struct df_shuffle shuffle;
};

struct df_feed;

/* For packed batches: the memory of the host that a device which resizes reads by itself. */
struct df_block_memory df_feed_block_memory(struct df_backend *backend);

/* A loader whose batches suit the model: packed, where its device resizes them. */
struct df_loader *df_feed_open_loader(const struct df_dataset *dataset,
                                      const struct df_loader_options *options,
                                      const struct df_segmenter *segmenter);

/* The loader, and the finished cache, must outlive the feed. NULL with the error set. */
struct df_feed *df_feed_images(struct df_loader *loader);
struct df_feed *df_feed_features(const struct df_feature_cache *cache, size_t label_bytes,
                                 const struct df_feed_options *options);
void df_feed_free(struct df_feed *feed); /* NULL is allowed */

/* Batches in an epoch. */
int64_t df_feed_batches(const struct df_feed *feed);

/* As df_loader_start(). */
int df_feed_start(struct df_feed *feed, int64_t epoch, int64_t first_batch);

/* Uploads the epoch's next batch to the model: 1, and *batch says what it is until the next call; 0 at the
 * end; -1 with the error set. A feed serves one model, and a model one feed at a time, from a start to the
 * end of an epoch or the next start of either: the batch behind this one may be uploading already. */
int df_feed_next(struct df_feed *feed, struct df_segmenter *segmenter, struct df_batch *batch);

#endif
