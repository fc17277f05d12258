/* Enlarging the middle of an image, imagecorruptions' clipped_zoom. */
#ifndef DINOFT_CORRUPTIONS_ZOOM_H
#define DINOFT_CORRUPTIONS_ZOOM_H

#include "float_image.h"

/* The length of numpy.arange(1, end, step), and its value i. Rounding lets some arrays go on to `end` itself.
 */
int zoom_factor_count(double end, double step);
double zoom_factor(double step, int i);

/* The middle 1/factor of the image enlarged by factor as scipy.ndimage.zoom(order = 1) does; factor >= 1.
 * Allocates result: the middle's sides are rounded up, so that it is as large as the image or a little
 * larger. A last row or column whose rounded position lies beyond the middle's edge is 0, as it is there. -1
 * with the error set (out of memory); free result in either case. */
int clipped_zoom(const struct float_image *image, double factor, struct float_image *result);

/* Adds the top left of that to sum, which has the image's size. */
int clipped_zoom_add(const struct float_image *image, double factor, struct float_image *sum);

#endif
