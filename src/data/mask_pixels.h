/* Pixels of several channels, as files of masks have them. */
#ifndef DINOFT_DATA_MASK_PIXELS_H
#define DINOFT_DATA_MASK_PIXELS_H

#include "dinoft/image.h"

#include <stdbool.h>

/* Leaves the first `kept` bytes of each pixel. */
void df_mask_keep_first(struct df_image *mask, int kept);

/* Whether the first three channels, of so many bytes each, are equal in every pixel. */
bool df_mask_is_grey(const struct df_image *mask, int bytes);

#endif
