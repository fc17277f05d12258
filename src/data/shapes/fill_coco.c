/* Polygons as pycocotools' maskApi.c (rleFrPoly) fills them. Its rule: the outline is walked on a grid of
 * five steps a pixel; where a step crosses the middle of a column of pixels, the inside begins or ends at the
 * pixel whose own middle is next below. What is twice inside is outside. Its casts cut towards 0, also what
 * is below 0. */
#include "fill.h"

#include <math.h>
#include <stdlib.h>

#define STEPS 5 /* of a pixel */

/* A walk along the outline, in steps. */
struct walk {
    struct df_canvas *canvas;
    int u, v; /* where it is */
    bool begun;
};

static int to_steps(double coordinate)
{
    return (int)(STEPS * coordinate + .5);
}

/* Goes on to the next point, in the same column of steps or a neighbour of it. */
static void go(struct walk *walk, int u, int v)
{
    const int before = walk->u, row = v < walk->v ? v : walk->v;
    const bool crosses = walk->begun && u != before;

    walk->u = u;
    walk->v = v;
    walk->begun = true;
    if (!crosses)
        return;
    const int column = u < before ? u : u - 1;
    if (column < 0 || column % STEPS != STEPS / 2 || column / STEPS >= walk->canvas->width)
        return;
    double y = (row + .5) / STEPS - .5;
    if (y < 0)
        y = 0;
    else if (y > (double)walk->canvas->height)
        y = (double)walk->canvas->height;
    df_canvas_mark(walk->canvas, column / STEPS, (int64_t)ceil(y));
}

/* One side. Points are computed from the end with the smaller coordinate, whichever way the walk goes. */
static void go_along(struct walk *walk, const int from[2], const int to[2])
{
    const int dx = abs(to[0] - from[0]), dy = abs(to[1] - from[1]), length = dx >= dy ? dx : dy;
    const bool flat = dx >= dy, back = flat ? from[0] > to[0] : from[1] > to[1];
    const int *start = back ? to : from, *end = back ? from : to;
    const double slope =
        flat ? (double)(end[1] - start[1]) / dx : (double)(end[0] - start[0]) / dy; /* NaN for a point */

    for (int d = 0; d <= length; d++) {
        const int t = back ? length - d : d;
        if (flat)
            go(walk, start[0] + t, length == 0 ? start[1] : (int)(start[1] + slope * t + .5));
        else
            go(walk, (int)(start[0] + slope * t + .5), start[1] + t);
    }
}

void df_coco_polygon(struct df_canvas *canvas, const double *points, size_t count, uint8_t label)
{
    struct walk walk = {.canvas = canvas};

    for (size_t i = 0; i < count; i++) {
        const double *next = points + 2 * ((i + 1) % count);
        const int from[2] = {to_steps(points[2 * i]), to_steps(points[2 * i + 1])};
        const int to[2] = {to_steps(next[0]), to_steps(next[1])};
        go_along(&walk, from, to);
    }
    df_canvas_fill_marked(canvas, label);
}
