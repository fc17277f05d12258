/* Images beside their labels and predictions. */
#ifndef DINOFT_REPORT_COMPARISON_PICTURE_H
#define DINOFT_REPORT_COMPARISON_PICTURE_H

#include "dinoft/image.h"
#include "dinoft/overlay.h"

/* An RGB image, best as it is in its file, and class maps [height, width] of any size, which are stretched
 * over it; label 255: not counted. */
struct df_comparison_row {
    const char *caption; /* such as the image's name */
    const struct df_image *image, *label;
    const struct df_image *prediction; /* NULL: there is none, in none of a picture's rows */
};

/* The image, its label and its prediction, if there is one, side by side, the classes as df_class_panel()
 * shows them. A panel is as large as the image, but at most 320 x 320. Without caption. Allocates strip
 * (RGB); -1 when out of memory. */
int df_comparison_strip(const struct df_comparison_row *comparison, const struct df_overlay_style *style,
                        struct df_image *strip);

/* `count` (1 or more) of these strips below each other, each with its caption, and a legend of the classes
 * that occur. names [n_classes] of the classes. Allocates picture (RGB); -1 with the error set. */
int df_comparison_draw(const struct df_comparison_row *comparisons, size_t count,
                       const struct df_overlay_style *style, char *const *names, int n_classes,
                       struct df_image *picture);

#endif
