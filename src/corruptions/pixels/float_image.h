/* Images in float32, as the corruptions compute them. */
#ifndef DINOFT_CORRUPTIONS_FLOAT_IMAGE_H
#define DINOFT_CORRUPTIONS_FLOAT_IMAGE_H

#include "dinoft/image.h"

struct float_image {
    int64_t width, height;
    int channels;  /* 1 or 3 */
    float *pixels; /* [height, width, channels] */
};

/* Unset pixels. -1 with the error set; free it in either case. */
int float_image_alloc(struct float_image *image, int64_t width, int64_t height, int channels);
void float_image_free(struct float_image *image);

/* bytes * scale, allocated here; scale 1 or 1 / 255. */
int float_image_from_bytes(struct float_image *image, const struct df_image *bytes, float scale);

/* Clipped to [0, 1] (scale 255) or [0, 255] (scale 1), multiplied and truncated, as NumPy's astype(uint8)
 * does. The sizes are the same. */
void float_image_to_bytes(const struct float_image *image, float scale, struct df_image *bytes);

#endif
