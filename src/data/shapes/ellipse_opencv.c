/* Ellipses as OpenCV's ellipse() with a thickness of -1 (EllipseEx, FillConvexPoly in drawing.cpp) fills
 * them: a polygon of a corner each 90, 30, 18 or 5 degrees, the smaller the ellipse the fewer, from sines of
 * seven digits. Its border is drawn, then each row filled between the two sides of the polygon. */
#include "fill.h"

#include "lines_opencv.h"

#include <math.h>

#define MOST_CORNERS (360 / 5 + 2)

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

struct polygon {
    struct df_fixed_point corners[MOST_CORNERS];
    int count;
};

/* One of the two sides that the rows are filled between. */
struct side {
    int corner, step; /* its next corner, and which way it goes on */
    int64_t x, dx;
    int64_t end; /* row */
};

/* Of 0 to 450 degrees. */
static double sine(int degrees)
{
    return (float)(round(sin(degrees * M_PI / 180) * 1e7) / 1e7);
}

static int64_t to_fixed(double value)
{
    const int64_t whole = llrint(value / (double)DF_FIXED_ONE) * DF_FIXED_ONE;
    return whole + llrint(value - (double)whole);
}

static void make_corners(const int centre[2], const int axes[2], int angle, struct polygon *polygon)
{
    const int longer = axes[0] > axes[1] ? axes[0] : axes[1];
    const int step = longer < 3 ? 90 : longer < 10 ? 30 : longer < 15 ? 18 : 5;
    const double alpha = sine(450 - angle), beta = sine(angle), one = (double)DF_FIXED_ONE;

    polygon->count = 0;
    for (int degrees = 0; degrees <= 360; degrees += step) {
        const double x = axes[0] * one * sine(450 - degrees), y = axes[1] * one * sine(degrees);
        const struct df_fixed_point corner = {to_fixed(centre[0] * one + x * alpha - y * beta),
                                              to_fixed(centre[1] * one + x * beta + y * alpha)};
        const struct df_fixed_point *last = polygon->count > 0 ? &polygon->corners[polygon->count - 1] : NULL;
        if (!last || last->x != corner.x || last->y != corner.y)
            polygon->corners[polygon->count++] = corner;
    }
}

static int64_t row_of(const struct df_fixed_point *corner)
{
    return (corner->y + DF_FIXED_ONE / 2) >> DF_FIXED_BITS;
}

/* Goes on to the next edge of a side that ends below the row; false once there is none. */
static bool turn(const struct polygon *polygon, struct side *side, int64_t y, int *left)
{
    int from = side->corner, to = (from + side->step) % polygon->count;

    while ((*left)-- > 0) {
        const int64_t end = row_of(&polygon->corners[to]);
        if (end > y) {
            const int64_t across = polygon->corners[to].x - polygon->corners[from].x, rows = end - y;
            side->end = end;
            side->dx = (across * 2 + rows) / (2 * rows);
            side->x = polygon->corners[from].x;
            side->corner = to;
            return true;
        }
        from = to;
        to = (to + side->step) % polygon->count;
    }
    return false;
}

static void fill_rows(struct df_canvas *canvas, const struct polygon *polygon, uint8_t label)
{
    int top = 0, left = polygon->count;
    int64_t last = row_of(&polygon->corners[0]);

    for (int i = 1; i < polygon->count; i++) {
        top = polygon->corners[i].y < polygon->corners[top].y ? i : top;
        last = row_of(&polygon->corners[i]) > last ? row_of(&polygon->corners[i]) : last;
    }
    const int64_t first = row_of(&polygon->corners[top]), half = DF_FIXED_ONE / 2;
    struct side sides[2] = {{top, 1, -DF_FIXED_ONE, 0, first},
                            {top, polygon->count - 1, -DF_FIXED_ONE, 0, first}};

    for (int64_t y = first; y <= last && y < canvas->height; y++) {
        for (int i = 0; i < 2; i++) {
            if (y >= sides[i].end)
                turn(polygon, &sides[i], y, &left);
        }
        if (left < 0)
            break;
        const int64_t a = sides[0].x, b = sides[1].x;
        df_canvas_span(canvas, y, ((a < b ? a : b) + half) >> DF_FIXED_BITS,
                       ((a < b ? b : a) + half) >> DF_FIXED_BITS, label);
        for (int i = 0; i < 2; i++)
            sides[i].x += sides[i].dx;
    }
}

void df_opencv_ellipse(struct df_canvas *canvas, const int centre[2], const int axes[2], int angle,
                       uint8_t label)
{
    const int turned = (angle % 360 + 360) % 360;
    struct polygon polygon;

    make_corners(centre, axes, turned, &polygon);
    for (int i = 0; i < polygon.count; i++)
        df_opencv_fixed_line(canvas, polygon.corners[(i + polygon.count - 1) % polygon.count],
                             polygon.corners[i], label);
    if (polygon.count >= 3)
        fill_rows(canvas, &polygon, label);
}
