/* Noise of independent normal numbers on every value of an image. */
#ifndef DINOFT_CORRUPTIONS_NORMAL_NOISE_H
#define DINOFT_CORRUPTIONS_NORMAL_NOISE_H

#include "dinoft/image.h"
#include "dinoft/rng.h"

/* value += z * (constant + proportional * value), clipped to 0 .. 255 and truncated; in grey levels. */
void add_normal_noise(struct df_image *image, struct df_rng *rng, float constant, float proportional);

#endif
