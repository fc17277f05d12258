/* Shapes as Pillow's ImageDraw (libImaging/Draw.c, 11.3 to 13.0) draws them. Its rules: coordinates are cut
 * towards 0. A polygon is filled row by row between every second crossing of an edge; a row where an edge
 * ends at its lower end has that crossing twice, unless it is the last row; where two slanted edges end in
 * the same pixel, and both lie on one side of it, the row's end is drawn to where they are a row further.
 * Ends of rows are rounded, halves outwards from 0 at the left and towards 0 at the right. Crossings are
 * single floats. Horizontal edges are drawn for themselves. */
#include "fill.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

struct edge {
    int x0, y0; /* its first point */
    int xmin, xmax, ymin, ymax;
    float slope; /* columns a row */
};

/* The edges of a polygon with what filling it needs. */
struct filling {
    struct df_canvas *canvas;
    const struct edge *edges;
    size_t count;    /* of the edges that are not horizontal */
    size_t *by_top;  /* [count]: their numbers in the order of ymin */
    size_t *active;  /* [count]: those that the row meets, in the order of their numbers */
    size_t n_active; /* so far */
    float *xs;       /* [2 count]: crossings of the row */
    int last_row;
    uint8_t label;
};

static int round_up(float value)
{
    return (int)(value >= 0 ? floor(value + 0.5F) : -floor(fabs(value) + 0.5F));
}

static int round_down(float value)
{
    return (int)(value >= 0 ? ceil(value - 0.5F) : -ceil(fabs(value) - 0.5F));
}

static struct edge make_edge(int x0, int y0, int x1, int y1)
{
    struct edge edge = {.x0 = x0, .y0 = y0};

    edge.xmin = x0 < x1 ? x0 : x1;
    edge.xmax = x0 < x1 ? x1 : x0;
    edge.ymin = y0 < y1 ? y0 : y1;
    edge.ymax = y0 < y1 ? y1 : y0;
    edge.slope = y0 == y1 ? 0 : (float)(x1 - x0) / (float)(y1 - y0);
    return edge;
}

static float crossing(const struct edge *edge, int y)
{
    return (float)(y - edge->y0) * edge->slope + (float)edge->x0;
}

static bool ends_at(const struct edge *edge, int y)
{
    return y == edge->ymin || y == edge->ymax;
}

/* Where the row is drawn to, at an edge's end that another edge shares. */
static float corner(const struct filling *filling, size_t position, int y, float x)
{
    const struct edge *edge = &filling->edges[filling->active[position]];
    const int next = y == edge->ymax ? y - 1 : y + 1;
    const float here = crossing(edge, next);

    for (size_t k = 0; k < position; k++) {
        const struct edge *other = &filling->edges[filling->active[k]];
        if (!ends_at(other, y) || other->slope == 0 || roundf(x) != roundf(crossing(other, y)) ||
            next < other->ymin || next > other->ymax)
            continue;
        const float there = crossing(other, next);
        if (x > here + 1 && x > there + 1)
            return roundf(fmaxf(here, there)) + 1;
        if (x < here - 1 && x < there - 1)
            return roundf(fminf(here, there)) - 1;
        return x;
    }
    return x;
}

static size_t find_crossings(const struct filling *filling, int y)
{
    size_t count = 0;

    for (size_t i = 0; i < filling->n_active; i++) {
        const struct edge *edge = &filling->edges[filling->active[i]];
        const float x = crossing(edge, y);
        if (y == edge->ymax && y < filling->last_row) {
            filling->xs[count++] = x;
            filling->xs[count++] = x;
        } else if (ends_at(edge, y) && edge->slope != 0) {
            filling->xs[count++] = corner(filling, i, y, x);
        } else {
            filling->xs[count++] = x;
        }
    }
    return count;
}

static int compare_floats(const void *a, const void *b)
{
    const float first = *(const float *)a, second = *(const float *)b;
    return (first > second) - (first < second);
}

/* Drops the edges that ended above the row, and takes in those that begin; both lists stay in order. */
static void update_active(struct filling *filling, int y, size_t *begun)
{
    size_t kept = 0;

    for (size_t i = 0; i < filling->n_active; i++) {
        if (filling->edges[filling->active[i]].ymax >= y)
            filling->active[kept++] = filling->active[i];
    }
    for (; *begun < filling->count && filling->edges[filling->by_top[*begun]].ymin <= y; ++*begun) {
        const size_t number = filling->by_top[*begun];
        size_t at = kept;
        if (filling->edges[number].ymax < y)
            continue;
        for (; at > 0 && filling->active[at - 1] > number; at--)
            filling->active[at] = filling->active[at - 1];
        filling->active[at] = number;
        kept++;
    }
    filling->n_active = kept;
}

static void fill_rows(struct filling *filling, int first_row)
{
    size_t begun = 0;

    for (int y = first_row; y <= filling->last_row; y++) {
        update_active(filling, y, &begun);
        const size_t count = find_crossings(filling, y);
        if (count > 0)
            qsort(filling->xs, count, sizeof *filling->xs, compare_floats);
        for (size_t i = 1; i < count; i += 2)
            df_canvas_span(filling->canvas, y, round_up(filling->xs[i - 1]), round_down(filling->xs[i]),
                           filling->label);
    }
}

struct top {
    int y;
    size_t number;
};

static int compare_tops(const void *a, const void *b)
{
    const struct top *first = a, *second = b;
    if (first->y != second->y)
        return first->y < second->y ? -1 : 1;
    return (first->number > second->number) - (first->number < second->number);
}

/* Edges that are not horizontal, in the order of their upper ends; the others are drawn. */
static void sort_edges(struct filling *filling, size_t n_edges, struct top *tops)
{
    for (size_t i = 0; i < n_edges; i++) {
        const struct edge *edge = &filling->edges[i];
        if (edge->ymin == edge->ymax)
            df_canvas_span(filling->canvas, edge->ymin, edge->xmin, edge->xmax, filling->label);
        else
            tops[filling->count++] = (struct top){edge->ymin, i};
    }
    if (filling->count > 0)
        qsort(tops, filling->count, sizeof *tops, compare_tops);
    for (size_t i = 0; i < filling->count; i++)
        filling->by_top[i] = tops[i].number;
}

static int fill_edges(struct df_canvas *canvas, const struct edge *edges, size_t count, uint8_t label)
{
    struct filling filling = {.canvas = canvas, .edges = edges, .label = label};
    int first = (int)canvas->height - 1, status = 0;

    for (size_t i = 0; i < count; i++) {
        first = edges[i].ymin < first ? edges[i].ymin : first;
        filling.last_row = edges[i].ymax > filling.last_row ? edges[i].ymax : filling.last_row;
    }
    if (filling.last_row > canvas->height)
        filling.last_row = (int)canvas->height;
    struct top *tops = malloc(count * sizeof *tops);
    filling.by_top = malloc(count * sizeof *filling.by_top);
    filling.active = malloc(count * sizeof *filling.active);
    filling.xs = malloc(2 * count * sizeof *filling.xs);
    if (tops && filling.by_top && filling.active && filling.xs) {
        sort_edges(&filling, count, tops);
        fill_rows(&filling, first > 0 ? first : 0);
    } else {
        status = df_error_memory("filling a polygon", 6 * count * sizeof(size_t));
    }
    free(tops);
    free(filling.by_top);
    free(filling.active);
    free(filling.xs);
    return status;
}

/* Horizontal edges that go on in the same direction are one. */
static bool joins(struct edge *last, const int *before, const int *from, const int *to)
{
    if (to[1] != from[1] || from[1] != before[1])
        return false;
    if (to[0] > from[0] && from[0] > before[0])
        last->xmax = to[0];
    else if (to[0] < from[0] && from[0] < before[0])
        last->xmin = to[0];
    else
        return false;
    return true;
}

static size_t make_edges(const double *points, size_t count, struct edge *edges)
{
    int before[2] = {0}, from[2] = {(int)points[0], (int)points[1]};
    const int first[2] = {from[0], from[1]};
    size_t made = 0;

    for (size_t i = 1; i < count; i++) {
        const int to[2] = {(int)points[2 * i], (int)points[2 * i + 1]};
        if (i == 1 || !joins(&edges[made - 1], before, from, to))
            edges[made++] = make_edge(from[0], from[1], to[0], to[1]);
        before[0] = from[0];
        before[1] = from[1];
        from[0] = to[0];
        from[1] = to[1];
    }
    if (from[0] != first[0] || from[1] != first[1])
        edges[made++] = make_edge(from[0], from[1], first[0], first[1]);
    return made;
}

int df_pillow_polygon(struct df_canvas *canvas, const double *points, size_t count, uint8_t label)
{
    struct edge *edges = malloc(count * sizeof *edges);

    if (!edges)
        return df_error_memory("filling a polygon", count * sizeof *edges);
    const int status = fill_edges(canvas, edges, make_edges(points, count, edges), label);
    free(edges);
    return status;
}

/* A line is the polygon of its four corners. */
static int draw_line(struct df_canvas *canvas, const int from[2], const int to[2], int width, uint8_t label)
{
    const int dx = to[0] - from[0], dy = to[1] - from[1];
    const double length = hypot(dx, dy), half = (width - 1) / 2.0;
    struct edge edges[4];
    int corners[4][2];

    if (dx == 0 && dy == 0) {
        df_canvas_span(canvas, from[1], from[0], from[0], label);
        return 0;
    }
    const double more = floor(half + 0.5) / length, less = ceil(half - 0.5) / length;
    const double cuts[4] = {less * dy, more * dy, less * dx, more * dx};
    int shifts[4];
    for (int i = 0; i < 4; i++)
        shifts[i] = (int)(cuts[i] >= 0 ? ceil(cuts[i] - 0.5) : -ceil(fabs(cuts[i]) - 0.5));
    for (int i = 0; i < 4; i++) {
        const int *end = i == 1 || i == 2 ? to : from;
        corners[i][0] = end[0] + (i < 2 ? -shifts[0] : shifts[1]);
        corners[i][1] = end[1] + (i < 2 ? shifts[3] : -shifts[2]);
    }
    for (int i = 0; i < 4; i++) {
        const int *next = corners[(i + 1) % 4];
        edges[i] = make_edge(corners[i][0], corners[i][1], next[0], next[1]);
    }
    return fill_edges(canvas, edges, 4, label);
}

int df_pillow_lines(struct df_canvas *canvas, const double *points, size_t count, int width, uint8_t label)
{
    for (size_t i = 0; i + 1 < count; i++) {
        const int from[2] = {(int)points[2 * i], (int)points[2 * i + 1]};
        const int to[2] = {(int)points[2 * i + 2], (int)points[2 * i + 3]};
        DF_TRY(draw_line(canvas, from, to, width, label));
    }
    return 0;
}
