/* Annotations as the source of a data set's classes and masks. */
#ifndef DINOFT_DATA_ANNOTATIONS_ANNOTATED_SET_H
#define DINOFT_DATA_ANNOTATIONS_ANNOTATED_SET_H

#include "dinoft/dataset.h"

/* Looks for annotations, and reads them if there are any: then dataset->annotations is set, with its classes.
 * -1 with the error set. */
int df_annotated_set_open(struct df_dataset *dataset, const struct df_dataset_options *options);

/* Adds a sample for each of their images that is the data set's. -1 with the error set. */
int df_annotated_set_list(struct df_dataset *dataset);

/* Draws a sample's mask. image: the sample's, NULL where it was not read. */
int df_annotated_set_mask(const struct df_dataset *dataset, const struct df_sample *sample,
                          const struct df_image *image, struct df_image *mask);

#endif
