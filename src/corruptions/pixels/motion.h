/* Motion blur along a direction, imagecorruptions' _motion_blur. */
#ifndef DINOFT_CORRUPTIONS_MOTION_H
#define DINOFT_CORRUPTIONS_MOTION_H

#include "float_image.h"

/* image [h, w, c] blurred in place along angle (degrees) with a one-sided Gaussian of sigma over
 * 2 * radius + 1 shifts. What a shift leaves open repeats the border; shifts as long as the image is wide or
 * high are left out, and their weights with them. -1 with the error set (out of memory). */
int motion_blur(struct float_image *image, int radius, double sigma, double angle);

/* The same, clipped to [0, 255] and truncated. */
int motion_blur_bytes(struct df_image *image, int radius, double sigma, double angle);

#endif
