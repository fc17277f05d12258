/* From colours of a backbone's patches to a picture of the image's size. */
#ifndef DINOFT_FEATURE_PICTURE_H
#define DINOFT_FEATURE_PICTURE_H

#include "dinoft/image.h"

/* colors, of both functions: float32 [h, w, 4], of each patch red, green and blue, 0 to 1, and whether it is
 * shown: 1, or 0 with a black colour. Each allocates the picture, RGB [height, width, 3]. */
#define DF_PATCH_COLORS 4

/* Every pixel has the colour of the patch that it lies in. */
int df_picture_patches(const float *colors, int64_t h, int64_t w, int64_t height, int64_t width,
                       struct df_image *picture);

/* Smooth, but for the image's edges: joint bilateral upsampling (Kopf, Cohen, Lischinski, Uyttendaele,
 * SIGGRAPH 2007) in steps of 2. Every step takes a pixel's colour from the nine nearest of the step before,
 * weighted by how near they are in the picture and how alike in the image. No colour leaves the range of the
 * patches around; a pixel is shown if patches that are shown have the greater part in it. */
int df_picture_guided(const float *colors, int64_t h, int64_t w, const struct df_image *image,
                      struct df_image *picture);

#endif
