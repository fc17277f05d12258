/* Batches of a data set, read, checked and resized by worker threads ahead of the consumer. */
#ifndef DINOFT_LOADER_H
#define DINOFT_LOADER_H

#include "dinoft/augment.h"
#include "dinoft/dataset.h"
#include "dinoft/packed_batch.h"

/* Reads one sample at its original size, as df_dataset_read does; called from several threads at once. */
typedef int df_sample_reader(void *context, const struct df_dataset *dataset, int64_t sample,
                             struct df_image *image, struct df_image *mask);

/* Where blocks for packed batches come from and go back to; it outlives the loader. */
struct df_block_memory {
    void *(*alloc)(void *context, size_t bytes); /* NULL with the error set */
    void (*free)(void *context, void *block);
    void *context;
};

struct df_loader_options {
    int64_t batch_size;
    int64_t height, width;  /* 0: nothing is resized, only the originals are handed out */
    int workers;            /* threads; 0: one for each core, at most 8 */
    bool shuffle;           /* a new order for each epoch, from seed and epoch only */
    int64_t shuffle_buffer; /* of that order, see struct df_shuffle */
    uint64_t seed;
    struct df_augment_options augment; /* with seed, epoch and sample, how an image is changed */
    bool originals;                    /* also hand out images and masks at their original size */
    /* For a device that resizes: batches are packed into blocks of this memory. alloc NULL: they are resized
     * here. */
    struct df_block_memory memory;
    struct df_packed_layout layout; /* of the blocks: of at least a batch */
    df_sample_reader *read;         /* NULL: df_dataset_read */
    void *read_context;
};

struct df_batch {
    int64_t count;          /* images in it: batch_size, fewer in the epoch's last */
    const uint8_t *pixels;  /* [count, height, width, 3] RGB, resized linearly and augmented; NULL in a batch
                               of stored  features (dinoft/feed.h), and where nothing is resized here */
    const uint8_t *labels;  /* [count, height, width], resized by nearest neighbour; NULL where nothing is */
    const uint8_t *packed;  /* for a device that resizes: a block as options.layout says; else NULL */
    const int64_t *samples; /* [count] indices into the data set */
    const struct df_image *images, *masks; /* [count] the originals, if asked for; else NULL */
};

struct df_loader;

struct df_loader *df_loader_open(const struct df_dataset *dataset, const struct df_loader_options *options);
void df_loader_close(struct df_loader *loader);

struct df_shuffle {
    bool on; /* otherwise samples are taken as they are */
    uint64_t seed;
    /* A set of so many samples. Where it is in shards, these are taken one behind the other in a shuffled
     * order, and each sample is drawn from the next `buffer` of theirs: a disk reads them nearly as they lie.
     * NULL: all orders are equally likely, as they are without shards. */
    const struct df_dataset *shards;
    int64_t buffer;
};

/* The samples 0..count-1 in an epoch's order, which depends on nothing but the arguments. -1 with the error
 * set. (sample_order.c) */
int df_sample_order(int64_t *order, int64_t count, const struct df_shuffle *shuffle, int64_t epoch);

/* A sample at the options' size as a loader hands it out in an epoch. Allocates image and mask. -1 with the
 * error set and nothing allocated. */
int df_loader_sample(const struct df_dataset *dataset, const struct df_loader_options *options, int64_t epoch,
                     int64_t sample, struct df_image *image, struct df_image *mask);

/* Its worker threads. */
int df_loader_workers(const struct df_loader *loader);

/* Batches in an epoch: count / batch_size, rounded up. */
int64_t df_loader_batches(const struct df_loader *loader);

/* Starts an epoch (from 0 on) with this batch, 0 for its first one; what was read ahead of an unfinished one
 * is dropped. Behind the last one the epoch is at its end. */
int df_loader_start(struct df_loader *loader, int64_t epoch, int64_t first_batch);

/* The epoch's next batch: 1 and *batch filled (valid until the next call; packed for a device, until the next
 * but one), 0 at the end (and before any start), -1 with the error set for a batch with bad samples: its
 * first one's; the call after that goes on with the next batch. Batches and errors come in the order of the
 * samples whatever the threads do. */
int df_loader_next(struct df_loader *loader, struct df_batch *batch);

/* Whether batches are packed for a device. */
bool df_loader_packs(const struct df_loader *loader);

/* Whether df_loader_next() would hand out a batch without waiting. */
bool df_loader_is_ready(struct df_loader *loader);

#endif
