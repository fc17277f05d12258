/* OpenCV's lines of one pixel's width, as its filled shapes have them for a border. */
#ifndef DINOFT_DATA_SHAPES_LINES_OPENCV_H
#define DINOFT_DATA_SHAPES_LINES_OPENCV_H

#include "canvas.h"

/* OpenCV's fixed point: 16 bits behind the point. */
#define DF_FIXED_BITS 16
#define DF_FIXED_ONE  ((int64_t)1 << DF_FIXED_BITS)

struct df_fixed_point {
    int64_t x, y;
};

/* Moves both ends to the borders of 0 .. size - 1; false where nothing of the line is within, and then they
 * may have been moved as well. */
bool df_opencv_clip(int64_t width, int64_t height, struct df_fixed_point *from, struct df_fixed_point *to);

/* Bresenham's line between whole pixels, from the left to the right, with steps to any of eight neighbours.
 */
void df_opencv_line(struct df_canvas *canvas, struct df_fixed_point from, struct df_fixed_point to,
                    uint8_t label);

/* The line between points in fixed point. */
void df_opencv_fixed_line(struct df_canvas *canvas, struct df_fixed_point from, struct df_fixed_point to,
                          uint8_t label);

#endif
