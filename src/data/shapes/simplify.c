#include "simplify.h"

#include <string.h>

#define STEPS 4096 /* of a line that is looked at as one: it bounds the time and what is on the stack */

/* A part of a ring, in the direction that does not depend on which of its two regions the ring is of. */
struct path {
    const struct df_borders *borders;
    const struct df_ring *ring;
    size_t first;
    bool forward;
    size_t steps;
    double tolerance;
    uint8_t *keep; /* of the ring's corners */
};

static size_t index_of(const struct path *path, size_t i)
{
    const size_t count = path->ring->count;

    return path->forward ? (path->first + i) % count : (path->first + count - i % count) % count;
}

static struct df_corner corner_of(const struct path *path, size_t i)
{
    return path->ring->corners[index_of(path, i)];
}

static bool same(struct df_corner a, struct df_corner b)
{
    return a.x == b.x && a.y == b.y;
}

static bool before(struct df_corner a, struct df_corner b)
{
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

/* The square of the distance to the line from a to b. */
static double distance(struct df_corner p, struct df_corner a, struct df_corner b)
{
    const double x = p.x - a.x, y = p.y - a.y, u = b.x - a.x, v = b.y - a.y;
    const double along = x * u + y * v, length = u * u + v * v, across = u * y - v * x;

    if (along <= 0.0)
        return x * x + y * y;
    if (along >= length)
        return (x - u) * (x - u) + (y - v) * (y - v);
    return across * across / length;
}

/* The corner between from and to that is farthest from the line; from where all are on it. */
static size_t farthest(const struct path *path, size_t from, size_t to, double *most)
{
    const struct df_corner a = corner_of(path, from), b = corner_of(path, to);
    size_t found = from;

    *most = 0.0;
    for (size_t i = from + 1; i < to; i++) {
        const double d = distance(corner_of(path, i), a, b);
        if (d > *most) {
            *most = d;
            found = i;
        }
    }
    return found;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Corners of borders from x0 to x1 in a row. */
static size_t count_row(const struct df_borders *borders, int32_t y, int32_t x0, int32_t x1)
{
    const uint8_t *corners = borders->corners + y * (borders->width + 1);
    size_t count = 0;

    for (int32_t x = x0; x <= x1; x++)
        count += corners[x] & DF_CORNER_BORDER;
    return count;
}

/* Whether the line from one corner to the other has between it and the border no corner but those of the
 * border itself. Row by row: what is between lies within the border's corners of the row and the line's
 * place in it. As every crossing of borders is at a corner, and a line that enters such a place ends there or
 * leaves it across one of the two, no two lines for which this is true can cross. */
static bool is_clear(const struct path *path, size_t from, size_t to)
{
    const struct df_corner a = corner_of(path, from), b = corner_of(path, to);
    int32_t left[STEPS + 1], right[STEPS + 1];
    int32_t top = a.y, bottom = a.y;
    size_t count = 0;

    for (size_t i = from + 1; i <= to; i++) {
        const int32_t y = corner_of(path, i).y;
        top = y < top ? y : top;
        bottom = y > bottom ? y : bottom;
    }
    for (int32_t y = top; y <= bottom; y++) {
        left[y - top] = INT32_MAX;
        right[y - top] = -1;
        if (a.y != b.y && (y - a.y) * (int64_t)(y - b.y) <= 0) {
            const int64_t part = (int64_t)(y - a.y) * (b.x - a.x), whole = b.y - a.y;
            left[y - top] = a.x - (int32_t)floor_divide(-part, whole);
            right[y - top] = a.x + (int32_t)floor_divide(part, whole);
        }
    }
    for (size_t i = from; i <= to; i++) {
        const struct df_corner c = corner_of(path, i);
        left[c.y - top] = c.x < left[c.y - top] ? c.x : left[c.y - top];
        right[c.y - top] = c.x > right[c.y - top] ? c.x : right[c.y - top];
    }
    for (int32_t y = top; y <= bottom && count <= to - from + 1; y++)
        count += count_row(path->borders, y, left[y - top], right[y - top]);
    return count == to - from + 1;
}

/* Where the border that leaves a corner leads to, as long as it stays within the tolerance of the line. */
static bool leads_to(const struct path *path, struct df_corner a, struct df_corner b, int heading)
{
    const double most = path->tolerance * path->tolerance;
    struct df_corner at = df_corner_next(a, (enum df_heading)heading);

    for (int i = 0; i < STEPS && distance(at, a, b) <= most; i++) {
        if (*df_borders_corner(path->borders, at) & DF_CORNER_NODE)
            return same(at, b);
        const int back = (heading + 2) % 4;
        for (heading = 0; heading == back || !df_borders_leave(path->borders, at, (enum df_heading)heading);)
            heading++;
        at = df_corner_next(at, (enum df_heading)heading);
    }
    return false;
}

/* Whether two borders between the same two nodes could both become the line between these: then both keep a
 * corner, or what lies between them would be gone. */
static bool has_twin(const struct path *path)
{
    const struct df_corner a = corner_of(path, 0), b = corner_of(path, path->steps);

    for (int heading = DF_EAST; heading <= DF_NORTH; heading++) {
        if (df_borders_leave(path->borders, a, (enum df_heading)heading) &&
            !same(df_corner_next(a, (enum df_heading)heading), corner_of(path, 1)) &&
            leads_to(path, a, b, heading))
            return true;
    }
    return false;
}

/* From one corner that stays to the next, at most STEPS away. */
static void simplify_part(const struct path *path, size_t from, size_t to)
{
    uint16_t ends[STEPS + 1]; /* those that are not reached yet, the next one last */
    int count = 1;
    size_t at = from;
    double most;

    ends[0] = (uint16_t)(to - from);
    while (count > 0) {
        const size_t end = from + ends[count - 1];
        const size_t far = farthest(path, at, end, &most);
        const bool goes =
            far == at || (most <= path->tolerance * path->tolerance && is_clear(path, at, end) &&
                          !(at == 0 && end == path->steps && has_twin(path)));
        if (goes) {
            at = end;
            path->keep[index_of(path, at)] = 1;
            count--;
        } else {
            ends[count++] = (uint16_t)(far - from);
        }
    }
}

static void simplify_parts(const struct path *path, size_t from, size_t to)
{
    path->keep[index_of(path, from)] = 1;
    for (; to - from > STEPS; from += STEPS)
        simplify_part(path, from, from + STEPS);
    simplify_part(path, from, to);
}

/* Its farthest corner stays, and one at least between the two ends. */
static void simplify_half(const struct path *path, size_t from, size_t to)
{
    double most;
    const size_t far = farthest(path, from, to, &most);

    if (far > from)
        simplify_parts(path, from, far);
    simplify_parts(path, far, to);
}

/* A ring with one node at most, from its first corner back to it. */
static void simplify_closed(struct path *path)
{
    double most;

    path->forward = before(path->ring->corners[(path->first + 1) % path->ring->count],
                           path->ring->corners[(path->first + path->ring->count - 1) % path->ring->count]);
    const size_t far = farthest(path, 0, path->steps, &most);
    simplify_half(path, 0, far);
    simplify_half(path, far, path->steps);
}

static void simplify_open(struct path *path, size_t first, size_t steps)
{
    path->first = first;
    path->forward = true;
    path->steps = steps;
    if (before(corner_of(path, steps), corner_of(path, 0))) {
        path->first = (first + steps) % path->ring->count;
        path->forward = false;
    }
    simplify_parts(path, 0, steps);
}

static bool is_node(const struct path *path, size_t i)
{
    return *df_borders_corner(path->borders, path->ring->corners[i]) & DF_CORNER_NODE;
}

/* Where to begin: a node, or else the uppermost corner, of these the leftmost. nodes: how many there are. */
static size_t find_first(const struct path *path, size_t *nodes)
{
    const struct df_corner *corners = path->ring->corners;
    size_t first = 0;

    *nodes = 0;
    for (size_t i = 0; i < path->ring->count; i++) {
        if (is_node(path, i) ? (*nodes)++ == 0 : *nodes == 0 && before(corners[i], corners[first]))
            first = i;
    }
    return first;
}

static void choose_corners(struct path *path)
{
    const size_t count = path->ring->count;
    size_t nodes, steps = 0;
    const size_t start = find_first(path, &nodes);

    path->first = start;
    path->steps = count;
    if (nodes < 2) {
        simplify_closed(path);
        return;
    }
    for (size_t from = 0; from < count; from += steps) {
        for (steps = 1; !is_node(path, (start + from + steps) % count);)
            steps++;
        simplify_open(path, (start + from) % count, steps);
    }
}

static bool is_straight(struct df_corner a, struct df_corner b, struct df_corner c)
{
    return (int64_t)(b.x - a.x) * (c.y - b.y) == (int64_t)(b.y - a.y) * (c.x - b.x);
}

/* Leaves out all but those that are kept. */
static void pack(struct df_ring *ring, const uint8_t *keep)
{
    size_t count = 0;

    for (size_t i = 0; i < ring->count; i++) {
        if (keep[i])
            ring->corners[count++] = ring->corners[i];
    }
    ring->count = count;
}

static void drop_straight(struct df_ring *ring)
{
    struct df_corner *corners = ring->corners;
    const struct df_corner first = corners[0];
    const struct df_corner second_last = corners[ring->count - 1];
    size_t count = 0;

    for (size_t i = 0; i < ring->count; i++) {
        const struct df_corner next = i + 1 < ring->count ? corners[i + 1] : first;
        if (!is_straight(count > 0 ? corners[count - 1] : second_last, corners[i], next))
            corners[count++] = corners[i];
    }
    ring->count = count;
}

void df_ring_simplify(const struct df_borders *borders, struct df_ring *ring, double tolerance, uint8_t *keep)
{
    struct path path = {.borders = borders, .ring = ring, .tolerance = tolerance, .keep = keep};

    if (tolerance > 0.0) {
        memset(keep, 0, ring->count);
        choose_corners(&path);
        pack(ring, keep);
    }
    drop_straight(ring);
}
