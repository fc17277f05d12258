/* The classes of a picture: their numbers on their colours, and their names. */
#ifndef DINOFT_LEGEND_H
#define DINOFT_LEGEND_H

#include "dinoft/palette.h"

struct df_legend {
    const struct df_palette *palette;
    char *const *names; /* [n_classes]; long ones are cut */
    int n_classes;
    const char *unknown; /* what 255 is called, which has a colour then; NULL: pixels that do not count */
    bool shown[256];     /* [255]: the hatched pixels, which do not count */
};

/* Notes that the classes of a map [height, width] are shown, but for a background, which has no colour over
 * an image. */
void df_legend_add(struct df_legend *legend, const struct df_image *classes);

/* How high the legend is when it is `width` pixels wide; 0 where it shows nothing. */
int64_t df_legend_height(const struct df_legend *legend, int64_t width);

/* Draws it into an RGB picture, in columns, from (x, y) on. */
void df_legend_draw(const struct df_legend *legend, struct df_image *picture, int64_t x, int64_t y,
                    int64_t width);

/* A picture of all classes, at most 30 below each other, and behind them of 255 where `unknown` says what it
 * is called (NULL: it is not shown). Allocates picture (RGB); -1 when out of memory. */
int df_legend_picture(const struct df_palette *palette, char *const *names, int n_classes,
                      const char *unknown, struct df_image *picture);

/* Draws what stands for pixels that do not count where classes [height, width] is 255: hatching over the
 * picture of the same size. */
void df_legend_hatch(struct df_image *picture, const struct df_image *classes);

#endif
