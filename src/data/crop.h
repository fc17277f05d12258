/* Which part of a resized image a model sees. */
#ifndef DINOFT_DATA_CROP_H
#define DINOFT_DATA_CROP_H

#include "dinoft/augment.h"

struct df_crop {
    int64_t width, height;       /* that the whole image is resized to */
    struct df_image_part window; /* what is seen of it; at most the tile's size */
};

/* The middle of the image at scale 1. */
void df_crop_centre(struct df_crop *crop, const struct df_image *mask, const struct df_tile *tile);

/* mmsegmentation's RandomResize with the ratio kept, and RandomCrop: draws a scale from a range and a place.
 * The place is drawn anew, at most ten times, where one class has three quarters of the labelled pixels or
 * more. Leaves the labels of the window, by the nearest pixel, in the tile's upper left corner. */
void df_crop_draw(struct df_crop *crop, const struct df_augment_options *options, const double scale[2],
                  struct df_rng *rng, const struct df_image *mask, const struct df_tile *tile);

#endif
