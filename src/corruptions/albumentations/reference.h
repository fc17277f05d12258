/* The reference project's ten transforms, with the parameters of its corruption pipeline; the table in
 * corruptions.c names them. Semantics: Albumentations 1.3.1. */
#ifndef DINOFT_CORRUPTIONS_REFERENCE_H
#define DINOFT_CORRUPTIONS_REFERENCE_H

#include "dinoft/corruption.h"

/* reference_noise.c */
int reference_gauss_noise(struct df_corruption_job *job);
int reference_iso_noise(struct df_corruption_job *job);

/* reference_blur.c */
int reference_gaussian_blur(struct df_corruption_job *job);
int reference_glass_blur(struct df_corruption_job *job);
int reference_defocus(struct df_corruption_job *job);
int reference_motion_blur(struct df_corruption_job *job);
int reference_zoom_blur(struct df_corruption_job *job);

/* reference_snow.c, reference_jpeg.c, reference_elastic.c */
int reference_random_snow(struct df_corruption_job *job);
int reference_image_compression(struct df_corruption_job *job);
int reference_elastic_transform(struct df_corruption_job *job);

#endif
