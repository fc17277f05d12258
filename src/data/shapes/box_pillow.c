/* Rectangles and ellipses as Pillow's ImageDraw fills them. */
#include "fill.h"

#include <stdlib.h>

void df_pillow_rectangle(struct df_canvas *canvas, const double box[4], uint8_t label)
{
    int64_t first = (int64_t)box[1], last = (int64_t)box[3];

    first = first > 0 ? first : 0;
    last = last < canvas->height ? last : canvas->height - 1;
    for (int64_t y = first; y <= last; y++)
        df_canvas_span(canvas, y, (int64_t)box[0], (int64_t)box[2], label);
}

/* How far a point is from an ellipse of the axes a and b, in the ellipse's equation. */
static int64_t distance(int64_t a, int64_t b, int64_t x, int64_t y)
{
    return llabs(a * a * y * y + b * b * x * x - a * a * b * b);
}

/* From a point of a quarter of the ellipse to the next: of up, up and left, left the nearest to it, on a grid
 * of half pixels; the first of those that are equally near. */
static void next_point(int64_t a, int64_t b, int64_t *x, int64_t *y)
{
    int64_t nearest = distance(a, b, *x, *y + 2), dx = 0, dy = 2;

    if (*x > 1) {
        const int64_t across = distance(a, b, *x - 2, *y + 2), left = distance(a, b, *x - 2, *y);
        if (nearest > across) {
            nearest = across;
            dx = -2;
        }
        if (nearest > left) {
            dx = -2;
            dy = 0;
        }
    }
    *x += dx;
    *y += dy;
}

void df_pillow_ellipse(struct df_canvas *canvas, const double box[4], uint8_t label)
{
    const int64_t x0 = (int64_t)box[0], y0 = (int64_t)box[1];
    const int64_t a = (int64_t)box[2] - x0, b = (int64_t)box[3] - y0;
    int64_t x = a, y = b % 2, drawn = -1;

    if (a + b == 0)
        return;
    for (;;) {
        if (y > drawn) {
            df_canvas_span(canvas, y0 + (b - y) / 2, x0 + (a - x) / 2, x0 + (a + x) / 2, label);
            df_canvas_span(canvas, y0 + (b + y) / 2, x0 + (a - x) / 2, x0 + (a + x) / 2, label);
            drawn = y;
        }
        if (x == a % 2 && y == b)
            break;
        next_point(a, b, &x, &y);
    }
}
