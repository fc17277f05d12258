#include "shape.h"

#include "fill.h"
#include "rle.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

/* Of labelme. */
#define LINE_WIDTH   10
#define POINT_RADIUS 5

static void draw_circle(struct df_canvas *canvas, double x, double y, double radius, uint8_t label)
{
    const double box[4] = {x - radius, y - radius, x + radius, y + radius};
    df_pillow_ellipse(canvas, box, label);
}

static void draw_border_circle(struct df_canvas *canvas, const double *n, uint8_t label)
{
    const double dx = n[0] - n[2], dy = n[1] - n[3];
    draw_circle(canvas, n[0], n[1], sqrt(dx * dx + dy * dy), label);
}

static void draw_rectangle(struct df_canvas *canvas, const double *n, uint8_t label)
{
    const double box[4] = {fmin(n[0], n[2]), fmin(n[1], n[3]), fmax(n[0], n[2]), fmax(n[1], n[3])};
    df_pillow_rectangle(canvas, box, label);
}

static void draw_ellipse(struct df_canvas *canvas, const double *n, uint8_t label)
{
    df_opencv_ellipse(canvas, (const int[]){(int)n[0], (int)n[1]}, (const int[]){(int)n[2], (int)n[3]},
                      (int)n[4], label);
}

static void draw_row_runs(struct df_canvas *canvas, const struct df_shape *shape, const double *n,
                          const uint32_t *runs)
{
    const int64_t box[4] = {(int64_t)n[0], (int64_t)n[1], (int64_t)n[2], (int64_t)n[3]};
    df_rle_draw_rows(canvas, box, runs, shape->n_runs, shape->label);
}

/* Shares become pixels; what is whole stays. */
static int draw_opencv(struct df_canvas *canvas, const struct df_shape *shape, const double *numbers)
{
    const float sides[2] = {(float)canvas->width, (float)canvas->height};
    const bool shares = shape->kind == DF_SHAPE_SHARES;
    int *points = malloc((shape->n_numbers + 1) * sizeof *points);

    if (!points)
        return df_error_memory("filling a polygon", (shape->n_numbers + 1) * sizeof *points);
    for (size_t i = 0; i < shape->n_numbers; i++)
        points[i] = shares ? (int)((float)numbers[i] * sides[i % 2]) : (int)numbers[i];
    const int status = df_opencv_polygon(canvas, points, shape->n_numbers / 2, shape->label);
    free(points);
    return status;
}

int df_shape_draw(struct df_canvas *canvas, const struct df_shape *shape, const double *numbers,
                  const uint32_t *runs)
{
    const size_t points = shape->n_numbers / 2;

    switch (shape->kind) {
    case DF_SHAPE_COCO_POLYGON:
        df_coco_polygon(canvas, numbers, points, shape->label);
        return 0;
    case DF_SHAPE_COLUMN_RUNS:
        df_rle_draw_columns(canvas, runs, shape->n_runs, shape->label);
        return 0;
    case DF_SHAPE_ROW_RUNS:
        draw_row_runs(canvas, shape, numbers, runs);
        return 0;
    case DF_SHAPE_PILLOW_POLYGON:
        return df_pillow_polygon(canvas, numbers, points, shape->label);
    case DF_SHAPE_PILLOW_LINES:
        return df_pillow_lines(canvas, numbers, points, LINE_WIDTH, shape->label);
    case DF_SHAPE_PILLOW_RECTANGLE:
        draw_rectangle(canvas, numbers, shape->label);
        return 0;
    case DF_SHAPE_PILLOW_CIRCLE:
        draw_border_circle(canvas, numbers, shape->label);
        return 0;
    case DF_SHAPE_PILLOW_POINT:
        draw_circle(canvas, numbers[0], numbers[1], POINT_RADIUS, shape->label);
        return 0;
    case DF_SHAPE_OPENCV_ELLIPSE:
        draw_ellipse(canvas, numbers, shape->label);
        return 0;
    case DF_SHAPE_OPENCV_POLYGON:
    case DF_SHAPE_SHARES:
        return draw_opencv(canvas, shape, numbers);
    }
    return 0;
}
