/* Pictures of what patches are like: the numbers of clusters, and heat. */
#ifndef DINOFT_CLUSTER_PICTURE_H
#define DINOFT_CLUSTER_PICTURE_H

#include "dinoft/image.h"

#include <stdbool.h>

/* indices [height, width], allocated: of each pixel the cluster whose distance is the least. distances:
 * squared, [h, w, count]. Every pixel has those of the patch that it lies in, or, if smooth, those between
 * the centres of the four patches around it (bilinear: the cluster of a feature enlarged that way). */
int df_picture_clusters(const float *distances, int64_t h, int64_t w, int count, bool smooth, int64_t height,
                        int64_t width, struct df_image *indices);

/* A colour for each number, which does not depend on how many clusters there are; neighbours differ. 255 is
 * white. */
void df_cluster_palette(uint8_t palette[256][3]);

/* Recolours a picture of grey: 0 is dark violet, then blue, green, 255 yellow, as in matplotlib's viridis,
 * whose lightness grows evenly. */
void df_picture_heat(struct df_image *grey);

/* A ring around a pixel, red between white lines, that stands out from any picture. */
void df_picture_mark(struct df_image *picture, int64_t x, int64_t y);

#endif
