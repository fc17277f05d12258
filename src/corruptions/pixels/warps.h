/* Geometric warps in OpenCV's arithmetic: source coordinates in steps of 1/32 pixel, borders mirrored
 * without repeating the edge (BORDER_REFLECT_101). */
#ifndef DINOFT_CORRUPTIONS_WARPS_H
#define DINOFT_CORRUPTIONS_WARPS_H

#include "dinoft/image.h"
#include "float_image.h"

#include <stdbool.h>

/* (x, y) goes to (xx x + xy y + x0, yx x + yy y + y0). */
struct affine {
    double xx, xy, x0;
    double yx, yy, y0;
};

/* The one that takes each from[i] (x, y) to to[i]; zero where the points are on one line. */
struct affine affine_between(const double from[3][2], const double to[3][2]);

/* cv2.warpAffine: each pixel p of the result is the source at inverse_map(p), interpolated linearly or the
 * nearest pixel as it is. Images have 1 or 3 channels and one size. */
void warp_affine(const struct df_image *source, const struct affine *inverse_map, bool nearest,
                 struct df_image *result);

/* cv2.remap: pixel (x, y) of the result is the source at (x + dx, y + dy); planes of the same size. */
void warp_by_offsets(const struct df_image *source, const struct float_image *dx,
                     const struct float_image *dy, bool nearest, struct df_image *result);

#endif
