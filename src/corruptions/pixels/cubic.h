/* Enlarged photographs. */
#ifndef DINOFT_CORRUPTIONS_CUBIC_H
#define DINOFT_CORRUPTIONS_CUBIC_H

#include "dinoft/image.h"

/* A cut of width x height pixels at (left, top) out of what cv2.resize makes of the RGB picture with
 * INTER_CUBIC at full_width x full_height: only these pixels are computed. The cut lies within the whole and
 * is allocated here; -1 with the error set. */
int cubic_cut(const struct df_image *source, int64_t full_width, int64_t full_height, int64_t left,
              int64_t top, int64_t width, int64_t height, struct df_image *cut);

#endif
