/* DINOv2's position embedding, interpolated. Host code, computed once for a grid. */
#ifndef DINOFT_MODEL_POSITION_H
#define DINOFT_MODEL_POSITION_H
#include "dinoft/vit_config.h"

/* source [pos_grid * pos_grid, dim] -> destination [h * w, dim], by the rule of the backbone's family and of
 * whose code it is (pos_interpolation). A grid of the same size is copied. -1 when out of memory. */
int df_pos_embed_interpolate(const float *source, const struct df_vit_config *config, int64_t h, int64_t w,
                             float *destination);

#endif
