/* ImageNet-C's corruptions; the table in corruptions.c names them. Each follows imagecorruptions 1.1.2 step
 * by step: the same constants, borders and order of operations, and its quirks. */
#ifndef DINOFT_CORRUPTIONS_IMAGENET_C_H
#define DINOFT_CORRUPTIONS_IMAGENET_C_H

#include "dinoft/corruption.h"

/* noise.c */
int imagenet_c_gaussian_noise(struct df_corruption_job *job);
int imagenet_c_shot_noise(struct df_corruption_job *job);
int imagenet_c_impulse_noise(struct df_corruption_job *job);
int imagenet_c_speckle_noise(struct df_corruption_job *job);

/* blur.c; glass_blur.c, motion_blur.c, zoom_blur.c */
int imagenet_c_gaussian_blur(struct df_corruption_job *job);
int imagenet_c_defocus_blur(struct df_corruption_job *job);
int imagenet_c_glass_blur(struct df_corruption_job *job);
int imagenet_c_motion_blur(struct df_corruption_job *job);
int imagenet_c_zoom_blur(struct df_corruption_job *job);

/* snow.c, frost.c, fog.c, spatter.c */
int imagenet_c_snow(struct df_corruption_job *job);
int imagenet_c_frost(struct df_corruption_job *job);
int imagenet_c_fog(struct df_corruption_job *job);
int imagenet_c_spatter(struct df_corruption_job *job);

/* digital.c, pixelate.c, elastic.c */
int imagenet_c_brightness(struct df_corruption_job *job);
int imagenet_c_contrast(struct df_corruption_job *job);
int imagenet_c_saturate(struct df_corruption_job *job);
int imagenet_c_jpeg_compression(struct df_corruption_job *job);
int imagenet_c_pixelate(struct df_corruption_job *job);
int imagenet_c_elastic_transform(struct df_corruption_job *job);

#endif
