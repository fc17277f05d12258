/* Classes as colours, over images. */
#ifndef DINOFT_OVERLAY_H
#define DINOFT_OVERLAY_H

#include "dinoft/image.h"
#include "dinoft/palette.h"

#include <stdbool.h>
#include <stdint.h>

#define DF_OVERLAY_OPACITY 0.5 /* where nobody says another */

struct df_overlay_style {
    struct df_palette palette;
    double opacity; /* of the colours: 0 (the image alone) .. 1 */
    bool outlines;  /* at the regions' edges a line in their full colour, within one that stands out from it:
                       white around dark colours, black around light ones */
};

/* The colours of a data set as training runs show them: of the usual opacity, with outlines. */
struct df_overlay_style df_overlay_style_of(const struct df_dataset *set);

/* result [height, width, 3] = the image under its classes' colours; pixels of classes that the palette does
 * not colour keep the image. image [height, width, 3] and classes [height, width] have one size. Allocates
 * result; -1 with the error set. */
int df_overlay_draw(const struct df_image *image, const struct df_image *classes,
                    const struct df_overlay_style *style, struct df_image *result);

/* The pictures of the reference project's --debug: matplotlib's tab20 at i / n_classes is the colour of class
 * i, blended half and half. */

void df_tab20_color(int class_index, int n_classes, uint8_t rgb[3]);

/* 256 colours for n_classes; 255 is white. */
void df_tab20_palette(int n_classes, uint8_t palette[256][3]);

/* As df_overlay_draw(), with an opacity of a half; class 255 alone keeps the image. */
int df_overlay(const struct df_image *image, const struct df_image *classes, const uint8_t palette[256][3],
               struct df_image *result);

#endif
