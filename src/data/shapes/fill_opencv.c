/* Polygons as OpenCV's fillPoly() (4.11 to 5.0: CollectPolyEdges, FillEdgeCollection in drawing.cpp) fills
 * them. Its rule: the border is drawn as lines; within it each row is filled between the first and the second
 * edge that it meets, the third and the fourth, and so on, from an edge's upper end on and without its lower
 * end. An edge is followed in fixed point. Where a point lies outside, the slope is that of the part of the
 * edge that is within. */
#include "fill.h"

#include "lines_opencv.h"

#include "dinoft/error.h"

#include <stdlib.h>

#define FEW 64 /* edges, which are mostly in order already */

struct edge {
    int y0, y1;
    int64_t x, dx; /* in fixed point, in the row, and what it moves from row to row */
    size_t place;  /* in the row, for sorting */
};

static bool is_inside(const struct df_canvas *canvas, const struct df_fixed_point *point)
{
    return point->x >= 0 && point->x < canvas->width && point->y >= 0 && point->y < canvas->height;
}

/* Draws the border between two points, and makes an edge of it unless it is horizontal. */
static bool make_edge(struct df_canvas *canvas, const struct df_fixed_point ends[2], uint8_t label,
                      struct edge *edge)
{
    const int upper = ends[0].y < ends[1].y ? 0 : 1;
    struct df_fixed_point within[2] = {ends[0], ends[1]};

    df_opencv_line(canvas, ends[0], ends[1], label);
    if (ends[0].y == ends[1].y)
        return false;
    if (!is_inside(canvas, &ends[0]) || !is_inside(canvas, &ends[1])) {
        df_opencv_clip(canvas->width, canvas->height, &within[0], &within[1]);
        if (within[0].y == within[1].y) {
            within[0].y = ends[0].y;
            within[1].y = ends[1].y;
        }
    }
    edge->dx = (within[1].x - within[0].x) * DF_FIXED_ONE / (within[1].y - within[0].y);
    edge->y0 = (int)ends[upper].y;
    edge->y1 = (int)ends[1 - upper].y;
    edge->x = within[upper].x * DF_FIXED_ONE + (ends[upper].y - within[upper].y) * edge->dx;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct edge *first = a, *second = b;

    if (first->y0 != second->y0)
        return first->y0 < second->y0 ? -1 : 1;
    if (first->x != second->x)
        return first->x < second->x ? -1 : 1;
    return (first->dx > second->dx) - (first->dx < second->dx);
}

/* The edges that a row meets, from the left to the right: those of the row before without those that end, and
 * those that begin, which go before those that are at the same place. */
static size_t meet(struct edge **met, size_t count, struct edge *edges, size_t total, size_t *begun, int y,
                   struct edge **row)
{
    size_t found = 0, i = 0;

    while (i < count || (*begun < total && edges[*begun].y0 == y)) {
        struct edge *next = *begun < total && edges[*begun].y0 == y ? &edges[*begun] : NULL;
        if (i < count && met[i]->y1 == y) {
            i++;
        } else if (i < count && (!next || met[i]->x < next->x)) {
            row[found++] = met[i++];
        } else {
            row[found++] = next;
            ++*begun;
        }
    }
    return found;
}

static int compare_places(const void *a, const void *b)
{
    const struct edge *first = *(struct edge *const *)a, *second = *(struct edge *const *)b;

    if (first->x != second->x)
        return first->x < second->x ? -1 : 1;
    return (first->place > second->place) - (first->place < second->place);
}

/* Equal ones stay in order. */
static void sort_by_place(struct edge **row, size_t count)
{
    if (count > FEW) {
        for (size_t i = 0; i < count; i++)
            row[i]->place = i;
        qsort(row, count, sizeof *row, compare_places);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct edge *edge = row[i];
        size_t at = i;
        for (; at > 0 && row[at - 1]->x > edge->x; at--)
            row[at] = row[at - 1];
        row[at] = edge;
    }
}

static void fill_row(struct df_canvas *canvas, int y, struct edge **row, size_t count, uint8_t label)
{
    for (size_t i = 1; i < count; i += 2) {
        const int64_t a = row[i - 1]->x, b = row[i]->x;
        df_canvas_span(canvas, y, ((a < b ? a : b) + DF_FIXED_ONE - 1) >> DF_FIXED_BITS,
                       (a < b ? b : a) >> DF_FIXED_BITS, label);
        row[i - 1]->x += row[i - 1]->dx;
        row[i]->x += row[i]->dx;
    }
}

static int fill_edges(struct df_canvas *canvas, struct edge *edges, size_t total, uint8_t label)
{
    struct edge **met = malloc(total * sizeof *met), **row = malloc(total * sizeof *row);
    size_t count = 0, begun = 0;
    int status = 0;

    if (met && row) {
        qsort(edges, total, sizeof *edges, compare);
        for (int y = edges[0].y0; y < canvas->height && (count > 0 || begun < total); y++) {
            count = meet(met, count, edges, total, &begun, y, row);
            fill_row(canvas, y, row, count, label);
            sort_by_place(row, count);
            struct edge **other = met;
            met = row;
            row = other;
        }
    } else {
        status = df_error_memory("filling a polygon", 2 * total * sizeof *met);
    }
    free(met);
    free(row);
    return status;
}

int df_opencv_polygon(struct df_canvas *canvas, const int *points, size_t count, uint8_t label)
{
    struct edge *edges = malloc(count * sizeof *edges);
    size_t total = 0;

    if (!edges)
        return df_error_memory("filling a polygon", count * sizeof *edges);
    for (size_t i = 0; i < count; i++) {
        const int *from = points + 2 * ((i + count - 1) % count), *to = points + 2 * i;
        const struct df_fixed_point ends[2] = {{from[0], from[1]}, {to[0], to[1]}};
        if (make_edge(canvas, ends, label, &edges[total]))
            total++;
    }
    const int status = total >= 2 ? fill_edges(canvas, edges, total, label) : 0;
    free(edges);
    return status;
}
