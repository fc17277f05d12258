/* A mask's regions as polygons with holes. A region is connected pixels of one class, each with its
 * neighbours above, below, left and right (4-connected). Coordinates are of pixels' corners: x to the right,
 * y down, and pixel (0, 0) is the square from (0, 0) to (1, 1). */
#ifndef DINOFT_DATA_SHAPES_POLYGONS_H
#define DINOFT_DATA_SHAPES_POLYGONS_H

#include "borders.h"

/* Rings are simple, and touch each other at single corners at most. By the formula of the signed area, x to
 * the right and y up, the first goes round counterclockwise, and holes clockwise. */
struct df_polygon {
    uint8_t class;
    int64_t pixels;                  /* of the region, whatever was simplified */
    const struct df_corner *corners; /* of all rings, each without its first one at its end */
    const size_t *ends;              /* [rings]: where each ring ends in corners */
    size_t rings;                    /* the outer one, and then the holes */
};

/* 0; else the tracing ends with what is returned. The polygon is the callee's until it returns. */
typedef int df_polygon_taker(void *context, const struct df_polygon *polygon);

/* Calls take for each region of [height, width] classes but those of DF_IGNORE_LABEL, in the order of their
 * first pixels. tolerance: how far borders may be moved, in pixels; 0: drawn again, by the pixels' centres,
 * the polygons are the mask. Neighbours share their borders with any tolerance. Memory: 5 bytes a pixel, 8 a
 * hole, and some 30 for each pixel's edge of the longest border. -1 with the error set, or what take
 * returned. */
int df_polygons_trace(const uint8_t *classes, int64_t width, int64_t height, double tolerance,
                      df_polygon_taker *take, void *context);

#endif
