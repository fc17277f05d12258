/* Pictures whose pixels are the numbers of segments, as COCO's panoptic annotations have them: R + 256 G +
 * 65536 B; 0 is no segment. */
#ifndef DINOFT_DATA_ANNOTATIONS_SEGMENTS_H
#define DINOFT_DATA_ANNOTATIONS_SEGMENTS_H

#include "annotations.h"

/* Fills a mask, which has memory and all pixels uncovered, of the image's picture. -1 with the error set: the
 * picture cannot be read, has another size, or a number that is not among the image's segments. */
int df_segments_draw(const struct df_annotations *annotations, int64_t image, struct df_image *mask);

#endif
