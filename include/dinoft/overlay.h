/* Classes as colours, over images. */
#ifndef DINOFT_OVERLAY_H
#define DINOFT_OVERLAY_H

#include "dinoft/image.h"

#include <stdint.h>

/* matplotlib's tab20 at i / n_classes: the colour of class i in debug pictures. */
void df_tab20_color(int class_index, int n_classes, uint8_t rgb[3]);

/* 256 colours for n_classes: the reference's tab20 mapping; 255 stays white. */
void df_tab20_palette(int n_classes, uint8_t palette[256][3]);

/* result [height, width, 3] = image and the classes' colours blended half and half; pixels of class 255 keep
 * the image. image [height, width, 3] and classes [height, width] have one size. Allocates result. */
int df_overlay(const struct df_image *image, const struct df_image *classes, const uint8_t palette[256][3],
               struct df_image *result);

#endif
