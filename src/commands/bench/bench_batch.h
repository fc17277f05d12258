/* The batch that every step of a measurement works on, uploaded to the model as training uploads its own. */
#ifndef DINOFT_BENCH_BATCH_H
#define DINOFT_BENCH_BATCH_H

#include "dinoft/segmenter.h"

struct bench_batch {
    uint8_t *pixels, *labels; /* [max_batch, H, W, 3], [max_batch, H, W] */
    uint8_t *packed;          /* the same for a device that resizes, in its host memory; NULL for others */
    struct df_backend *device;
    bool under_way; /* the next step's batch was sent */
};

/* Random pixels, and labels in patches of every class with some that do not count. -1 with the error set. */
int bench_batch_open(struct bench_batch *batch, const struct df_segmenter *segmenter, uint64_t seed);
/* Before the device is closed. */
void bench_batch_close(struct bench_batch *batch);

/* Uploads the batch to the model; where batches are sent ahead, also begins the next step's upload. */
int bench_batch_load(struct bench_batch *batch, struct df_segmenter *segmenter);

#endif
