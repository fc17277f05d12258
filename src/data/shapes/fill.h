/* Filled shapes, pixel for pixel as the libraries draw them that people's tools call. Points are x, y, x, y,
 * … in pixels, at most DF_SHAPE_COORDINATE_MAX away from 0. */
#ifndef DINOFT_DATA_SHAPES_FILL_H
#define DINOFT_DATA_SHAPES_FILL_H

#include "canvas.h"

#include <stddef.h>

#define DF_ELLIPSE_RADIUS_MAX 20000 /* pixels: within it Pillow's own 64-bit integers do not overflow */

/* pycocotools 2: a polygon as rleFrPoly() makes it. count >= 1. (fill_coco.c) */
void df_coco_polygon(struct df_canvas *canvas, const double *points, size_t count, uint8_t label);

/* Pillow's ImageDraw on an image of one byte a pixel, filled and with an outline of the same value. Each
 * returns -1 with the error set when memory ran out. (fill_pillow.c; boxes: box_pillow.c) */
int df_pillow_polygon(struct df_canvas *canvas, const double *points, size_t count, uint8_t label);
/* Lines from point to point, without joints. */
int df_pillow_lines(struct df_canvas *canvas, const double *points, size_t count, int width, uint8_t label);
/* Within x0 <= x1, y0 <= y1, of at most DF_ELLIPSE_RADIUS_MAX. */
void df_pillow_ellipse(struct df_canvas *canvas, const double box[4], uint8_t label);
void df_pillow_rectangle(struct df_canvas *canvas, const double box[4], uint8_t label);

/* OpenCV's fillPoly() of one outline, 8-connected, without a shift: points [count][2] are whole pixels. -1
 * with the error set when memory ran out. (fill_opencv.c) */
int df_opencv_polygon(struct df_canvas *canvas, const int *points, size_t count, uint8_t label);

/* OpenCV's ellipse(), filled and whole: the centre, half the axes and the angle in degrees, whole numbers;
 * axes of 0 to DF_ELLIPSE_RADIUS_MAX. (ellipse_opencv.c) */
void df_opencv_ellipse(struct df_canvas *canvas, const int centre[2], const int axes[2], int angle,
                       uint8_t label);

#endif
