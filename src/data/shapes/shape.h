/* One shape of an annotation file: whose rules it is drawn by, and its numbers. */
#ifndef DINOFT_DATA_SHAPES_SHAPE_H
#define DINOFT_DATA_SHAPES_SHAPE_H

#include "canvas.h"

#include <stddef.h>

/* What the numbers are; pixels unless said otherwise. */
enum df_shape_kind {
    DF_SHAPE_COCO_POLYGON, /* x, y, … */
    DF_SHAPE_COLUMN_RUNS,  /* none; runs that cover the image (rle.h) */
    DF_SHAPE_ROW_RUNS,     /* left, top, width, height of a box; runs that cover it */
    /* As labelme's shape_to_mask() has Pillow draw them. */
    DF_SHAPE_PILLOW_POLYGON,   /* x, y, … */
    DF_SHAPE_PILLOW_LINES,     /* x, y, … of a line 10 pixels wide */
    DF_SHAPE_PILLOW_RECTANGLE, /* x, y of two opposite corners */
    DF_SHAPE_PILLOW_CIRCLE,    /* x, y of the centre and of a point of the border */
    DF_SHAPE_PILLOW_POINT,     /* x, y; drawn as a circle with a radius of 5 */
    DF_SHAPE_OPENCV_POLYGON,   /* x, y, …, whole */
    DF_SHAPE_OPENCV_ELLIPSE,   /* x, y of the centre, half of each axis, degrees; whole */
    DF_SHAPE_SHARES /* x, y, … as shares of width and height, made whole pixels as ultralytics does:
                       in floats, cut towards 0; then OpenCV's polygon */
};

struct df_shape {
    enum df_shape_kind kind;
    uint8_t label;
    size_t first_number, n_numbers;
    size_t first_run, n_runs;
};

/* numbers and runs are the shape's own. What a kind wants of its numbers, and that they are near enough, was
 * checked. -1 with the error set when memory ran out. */
int df_shape_draw(struct df_canvas *canvas, const struct df_shape *shape, const double *numbers,
                  const uint32_t *runs);

#endif
