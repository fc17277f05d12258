/* The filters of scikit-image and OpenCV that corruptions share. */
#ifndef DINOFT_CORRUPTIONS_FILTERS_H
#define DINOFT_CORRUPTIONS_FILTERS_H

#include "padded_image.h"

/* image blurred in place as scipy.ndimage.gaussian_filter does it, channel by channel: weights up to a
 * distance of int(truncate * sigma + 0.5); sigma > 0. skimage.filters.gaussian is this with truncate 4 and
 * BORDER_NEAREST. -1 with the error set (out of memory). */
int gaussian_filter(struct float_image *image, double sigma, double truncate, enum filter_border border);

/* The same for skimage.filters.gaussian(image / 255) * 255, clipped to [0, 255] and truncated: bytes equal to
 * those of the package. */
int gaussian_filter_bytes(struct df_image *image, double sigma);

/* image in place as OpenCV's filter2D leaves it: correlated with kernel [size, size], size odd, anchored in
 * its middle and not all 0, with BORDER_REFLECT_101; not rounded or clipped. */
int filter_2d(struct float_image *image, const double *kernel, int size);

#endif
