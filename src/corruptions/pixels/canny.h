/* Canny's edges. */
#ifndef DINOFT_CORRUPTIONS_CANNY_H
#define DINOFT_CORRUPTIONS_CANNY_H

#include "dinoft/image.h"

/* What cv2.Canny finds with its default aperture and norm: Sobel gradients of 3 x 3 pixels (edge repeated) of
 * size |dx| + |dy|; peaks of more than `low` across the edge that hang together with one of more than `high`.
 * grey: 1 channel. edges: same size, allocated by the caller; 255 on an edge, else 0. -1 with the error
 * set. */
int canny(const struct df_image *grey, int low, int high, struct df_image *edges);

#endif
