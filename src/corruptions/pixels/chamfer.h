/* Distances to edges. */
#ifndef DINOFT_CORRUPTIONS_CHAMFER_H
#define DINOFT_CORRUPTIONS_CHAMFER_H

#include "dinoft/image.h"
#include "float_image.h"

/* The distance of each pixel to the nearest one that is not 0, at most `most`: the shortest path of steps in
 * a neighbourhood of 5 x 5 (1 straight, 1.4 diagonally, 2.1969 as a knight; Borgefors 1986), as
 * cv2.distanceTransform(255 - edges, DIST_L2, 5). edges: 1 channel. distance is allocated here; -1 with the
 * error set; free it in either case. */
int chamfer_distance(const struct df_image *edges, float most, struct float_image *distance);

#endif
