/* The buffers of one batch of a loader's, which worker threads fill. */
#ifndef DINOFT_DATA_BATCH_SLOT_H
#define DINOFT_DATA_BATCH_SLOT_H

#include "sample.h"

struct df_batch_slot {
    uint8_t *pixels, *labels; /* NULL where nothing is resized here */
    uint8_t *packed;          /* a block of the caller's memory; NULL without one */
    int64_t *samples;
    struct df_image *images, *masks; /* NULL unless originals are wanted */
};

/* Memory for `capacity` samples, in a slot of zeros; -1 with the error set, and what there is to be closed.
 */
int df_batch_slot_open(struct df_batch_slot *slot, const struct df_loader_options *options, int64_t capacity);
void df_batch_slot_close(struct df_batch_slot *slot, const struct df_loader_options *options,
                         int64_t capacity);

/* Reads a sample and makes it the batch's number `at`. Several threads may do so with different numbers. */
int df_batch_slot_load(struct df_batch_slot *slot, const struct df_loader_options *options,
                       const struct df_sample_place *place, int64_t at);

#endif
