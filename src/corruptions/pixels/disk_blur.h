/* The blur of a lens out of focus. */
#ifndef DINOFT_CORRUPTIONS_DISK_BLUR_H
#define DINOFT_CORRUPTIONS_DISK_BLUR_H

#include "row_filter.h"

#define DISK_MOST_RADIUS 10

/* cv2.filter2D(image, -1, disk(radius, alias_blur)) with the kernel that imagecorruptions and Albumentations
 * share: a disk of 2 * max(8, radius) + 1 pixels a side, smoothed by OpenCV's 3 x 3 Gaussian (5 x 5 above
 * radius 8), whose border leaves the sum a little above 1 for disks that touch it. take gets rows of levels
 * of 0 .. 255; result may be the image. radius <= DISK_MOST_RADIUS. -1 with the error set (out of memory). */
int disk_blur(const struct df_image *image, int radius, double alias_blur, row_taker *take, void *result);

#endif
