/* A mask that shapes are drawn into. What lies outside it is cut off. */
#ifndef DINOFT_DATA_SHAPES_CANVAS_H
#define DINOFT_DATA_SHAPES_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

/* Coordinates of points, in pixels; so far outside an image nobody means one. The rasterisers' integers hold
 * all that they make of these. */
#define DF_SHAPE_COORDINATE_MAX 65536

struct df_canvas {
    int64_t width, height;
    uint8_t *labels; /* [height, width]; borrowed */
    /* Where the inside of a shape begins or ends, going down a column: [height, width], 0 or 255, and all 0
     * between shapes. */
    uint8_t *marks;
    uint8_t *inside;                  /* [width]; all 0 between shapes */
    int64_t left, right, top, bottom; /* of the marks */
    bool open;                        /* a shape reaches the lower border */
};

/* labels must outlive the canvas. -1 with the error set; free it in either case. */
int df_canvas_init(struct df_canvas *canvas, int64_t width, int64_t height, uint8_t *labels);
void df_canvas_free(struct df_canvas *canvas);

/* Pixels x0..x1, both included, of a row. */
void df_canvas_span(struct df_canvas *canvas, int64_t y, int64_t x0, int64_t x1, uint8_t label);

/* Column by column: marks the pixel (x, y), 0 <= x < width, 0 <= y <= height; a second mark takes the first
 * away. Then all pixels with an odd number of marks at or above them are drawn, and the marks taken away. */
void df_canvas_mark(struct df_canvas *canvas, int64_t x, int64_t y);
void df_canvas_fill_marked(struct df_canvas *canvas, uint8_t label);

#endif
