/* DINOv2's position embedding, interpolated. Host code, computed once for a grid. */
#ifndef DINOFT_MODEL_POSITION_H
#define DINOFT_MODEL_POSITION_H
#include "dinoft/vit_config.h"

/* How DINOv2 interpolates its grid x grid embedding to h x w: torch.nn.functional.interpolate, bicubic,
 * align_corners = false. */
enum df_pos_interpolation {
    DF_POS_SCALE_FACTOR, /* models without registers: scale (out + 0.1) / grid, no antialiasing, a = -0.75 */
    DF_POS_ANTIALIAS     /* models with registers: by size, antialiased, a = -0.5 */
};

/* source [grid * grid, dim] -> destination [h * w, dim]. A grid of the same size is copied. -1 when out of
 * memory. */
int df_pos_embed_interpolate(const float *source, int64_t grid, int64_t dim, enum df_pos_interpolation how,
                             int64_t h, int64_t w, float *destination);

#endif
