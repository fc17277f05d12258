/* The mean of the pixels along a short line, as OpenCV draws one and filters with it. */
#ifndef DINOFT_CORRUPTIONS_LINE_BLUR_H
#define DINOFT_CORRUPTIONS_LINE_BLUR_H

#include "dinoft/image.h"

#define LINE_MOST_SIZE 13 /* of the square that the line is drawn in */

struct point {
    int x, y;
};

/* The points that cv2.line sets between two of a square of LINE_MOST_SIZE. Returns how many. */
int line_points(struct point points[LINE_MOST_SIZE], struct point from, struct point to);

/* image in place as cv2.filter2D leaves it with a kernel [size, size] of 1 / count at each point, 0
 * elsewhere: size odd, 2 .. LINE_MOST_SIZE points. -1 with the error set (out of memory). */
int line_blur(struct df_image *image, const struct point *points, int count, int size);

#endif
