/* What the parts of the reader of CVAT's XML share. */
#ifndef DINOFT_DATA_ANNOTATIONS_CVAT_H
#define DINOFT_DATA_ANNOTATIONS_CVAT_H

#include "readers.h"

/* Adds what an element within <image> describes; attributes as in xml_read.h. 1: it is drawn; 0: an element
 * of a kind that covers nothing (points, polylines, tags, cuboids, skeletons); -1 with the error set. */
int df_cvat_add_shape(struct df_annotations *annotations, int64_t image, const char *element,
                      const char **attributes);

/* The value, or NULL. */
const char *df_cvat_attribute(const char **attributes, const char *name);

/* A number of an attribute. -1 with the error set: it is not there, or is none. */
int df_cvat_number(const char **attributes, const char *name, double *number);

#endif
