/* A data set's decoded images and masks, each read once however often they are asked for: in memory, and what
 * does not fit there in a nameless temporary file. */
#ifndef DINOFT_IMAGE_STORE_H
#define DINOFT_IMAGE_STORE_H

#include "dinoft/dataset.h"

struct df_image_store;

/* The data set must outlive the store. memory: bytes that may be taken. folder: where the file is made if it
 * is needed. NULL with the error set. */
struct df_image_store *df_image_store_open(const struct df_dataset *dataset, size_t memory,
                                           const char *folder);
void df_image_store_close(struct df_image_store *store); /* NULL is allowed */

/* Copies of a sample's image and mask, to be freed; decoded now if it is asked for for the first time.
 * Several threads may call it, for samples of their own. -1 with the error set, as df_dataset_read. */
int df_image_store_read(struct df_image_store *store, int64_t sample, struct df_image *image,
                        struct df_image *mask);

#endif
