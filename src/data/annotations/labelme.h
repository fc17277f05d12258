/* What the parts of the reader of labelme's JSON share. */
#ifndef DINOFT_DATA_ANNOTATIONS_LABELME_H
#define DINOFT_DATA_ANNOTATIONS_LABELME_H

#include "readers.h"

/* A shape of the type "mask": a PNG in base64, whose upper left and lower right pixels are the points [4],
 * cut towards 0. Adds it to the image; -1 with the error set. */
int df_labelme_add_mask(struct df_annotations *annotations, int64_t image, int label, const char *base64,
                        const double *points);

#endif
