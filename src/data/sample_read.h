/* The parts of reading a sample: where its mask comes from, and what the mask means. */
#ifndef DINOFT_DATA_SAMPLE_READ_H
#define DINOFT_DATA_SAMPLE_READ_H

#include "dinoft/dataset.h"

/* What a mask's file holds becomes labels, channels 1; labels [DF_LABEL_VALUES] are counted. -1 with the
 * error naming the file and the first pixel that is none of the data set's. (mask_labels.c) */
int df_mask_to_labels(const struct df_dataset *dataset, const char *path, struct df_image *mask,
                      int64_t *labels);

/* Marks the numbers of a mask as df_mask_read() gives it, of colours none. (mask_labels.c) */
void df_mask_mark_values(const struct df_image *mask, bool seen[DF_MASK_VALUE_MOST + 1]);

/* A mask of binary ones, one for each class; labels as above. (class_folders.c) */
int df_mask_layers_read(const struct df_dataset *dataset, const struct df_sample *sample,
                        struct df_image *mask, int64_t *labels);

#endif
