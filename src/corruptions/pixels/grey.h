/* Operations on 8-bit grey pictures (struct df_image, 1 channel) in OpenCV's arithmetic. Sizes of source and
 * result are equal, both sides at least 2; results are allocated by the caller. -1 with the error set: out of
 * memory. */
#ifndef DINOFT_CORRUPTIONS_GREY_H
#define DINOFT_CORRUPTIONS_GREY_H

#include "dinoft/image.h"
#include "padded_image.h"

/* The picture with one more pixel on each side, [height + 2, width + 2], for the caller to free. NULL with
 * the error set. */
uint8_t *grey_padded(const struct df_image *grey, enum filter_border border);

/* cv2.blur(…, (3, 3)): means of 3 x 3 pixels, mirrored borders, rounded. */
int grey_box3(const struct df_image *source, struct df_image *result);

/* The same of a plane, cut off to integers; its values are in [0, 256). */
void grey_from_box3(const struct float_image *plane, struct df_image *result);

/* cv2.filter2D with 3 x 3 integers (a correlation), mirrored borders, clipped to [0, 255]. */
int grey_filter3(const struct df_image *source, const int kernel[3][3], struct df_image *result);

/* cv2.equalizeHist, in place. */
void grey_equalize(struct df_image *grey);

#endif
