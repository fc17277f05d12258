/* OpenCV's GaussianBlur: BORDER_REFLECT_101, an odd number of weights. */
#ifndef DINOFT_CORRUPTIONS_OPENCV_GAUSSIAN_H
#define DINOFT_CORRUPTIONS_OPENCV_GAUSSIAN_H

#include "dinoft/image.h"

#define OPENCV_GAUSSIAN_MOST 11 /* weights */

/* weights [size], as getGaussianKernel makes them. sigma 0 stands for what OpenCV takes for the size: rows of
 * Pascal's triangle and their like up to 7, 0.3 * ((size - 1) / 2 - 1) + 0.8 beyond. */
void opencv_gaussian_weights(double *weights, int size, double sigma);

/* The number of weights that OpenCV takes for bytes where the size is left to it. */
int opencv_gaussian_size(double sigma);

/* image blurred in place with the bytes of cv2.GaussianBlur(image, (size, size), sigma), which computes in
 * fixed point. size <= OPENCV_GAUSSIAN_MOST. -1 with the error set (out of memory). */
int opencv_gaussian_blur(struct df_image *image, int size, double sigma);

#endif
