/* As clipLine(), Line() and Line2() in OpenCV's drawing.cpp. */
#include "lines_opencv.h"

#include <stdlib.h>

/* Bits that say which borders a point is beyond. */
static int beyond_sides(int64_t right, const struct df_fixed_point *point)
{
    return (point->x < 0) + (point->x > right) * 2;
}

static int beyond(int64_t right, int64_t bottom, const struct df_fixed_point *point)
{
    return beyond_sides(right, point) + (point->y < 0) * 4 + (point->y > bottom) * 8;
}

bool df_opencv_clip(int64_t width, int64_t height, struct df_fixed_point *from, struct df_fixed_point *to)
{
    const int64_t right = width - 1, bottom = height - 1;
    struct df_fixed_point *const ends[2] = {from, to};
    int out[2] = {beyond(right, bottom, from), beyond(right, bottom, to)};

    if ((out[0] & out[1]) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        if (!(out[i] & 12))
            continue;
        const int64_t border = out[i] < 8 ? 0 : bottom;
        ends[i]->x += (border - ends[i]->y) * (to->x - from->x) / (to->y - from->y);
        ends[i]->y = border;
        out[i] = beyond_sides(right, ends[i]);
    }
    if ((out[0] & out[1]) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        if (out[i] == 0)
            continue;
        const int64_t border = out[i] == 1 ? 0 : right;
        ends[i]->y += (border - ends[i]->x) * (to->y - from->y) / (to->x - from->x);
        ends[i]->x = border;
    }
    return true;
}

void df_opencv_line(struct df_canvas *canvas, struct df_fixed_point from, struct df_fixed_point to,
                    uint8_t label)
{
    if (!df_opencv_clip(canvas->width, canvas->height, &from, &to))
        return;
    const struct df_fixed_point start = from.x <= to.x ? from : to, end = from.x <= to.x ? to : from;
    const int64_t dx = end.x - start.x, dy = llabs(end.y - start.y);
    const int64_t down = end.y < start.y ? -canvas->width : canvas->width;
    const bool steep = dy > dx;
    const int64_t length = steep ? dy : dx, across = steep ? dx : dy;
    const int64_t step = steep ? down : 1, side_step = steep ? 1 : down;
    uint8_t *pixel = canvas->labels + start.y * canvas->width + start.x;
    int64_t error = length - 2 * across;

    for (int64_t i = 0; i <= length; i++) {
        *pixel = label;
        if (i == length)
            break;
        pixel += step;
        if (error < 0) {
            pixel += side_step;
            error += 2 * length;
        }
        error -= 2 * across;
    }
}

static void put(struct df_canvas *canvas, int64_t x, int64_t y, uint8_t label)
{
    df_canvas_span(canvas, y, x, x, label);
}

void df_opencv_fixed_line(struct df_canvas *canvas, struct df_fixed_point from, struct df_fixed_point to,
                          uint8_t label)
{
    if (!df_opencv_clip(canvas->width * DF_FIXED_ONE, canvas->height * DF_FIXED_ONE, &from, &to))
        return;
    const int64_t ax = llabs(to.x - from.x), ay = llabs(to.y - from.y);
    const bool flat = ax > ay, back = flat ? to.x < from.x : to.y < from.y;
    const struct df_fixed_point start = back ? to : from, end = back ? from : to;
    const int64_t half = DF_FIXED_ONE / 2;
    struct df_fixed_point at = {start.x + half, start.y + half};

    put(canvas, (end.x + half) >> DF_FIXED_BITS, (end.y + half) >> DF_FIXED_BITS, label);
    if (flat) {
        const int64_t slope = (end.y - start.y) * DF_FIXED_ONE / (ax | 1);
        for (int64_t left = ax >> DF_FIXED_BITS; left >= 0; left--, at.x += DF_FIXED_ONE, at.y += slope)
            put(canvas, at.x >> DF_FIXED_BITS, at.y >> DF_FIXED_BITS, label);
    } else {
        const int64_t slope = (end.x - start.x) * DF_FIXED_ONE / (ay | 1);
        for (int64_t left = ay >> DF_FIXED_BITS; left >= 0; left--, at.y += DF_FIXED_ONE, at.x += slope)
            put(canvas, at.x >> DF_FIXED_BITS, at.y >> DF_FIXED_BITS, label);
    }
}
