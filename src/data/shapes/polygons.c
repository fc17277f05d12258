#include "polygons.h"

#include "simplify.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"

#include <stdlib.h>

/* A hole's pixel: one of the region around it, with the hole above. */
struct hole {
    uint32_t region, pixel;
};

struct tracing {
    struct df_borders borders;
    double tolerance;
    struct df_ring ring;
    uint8_t *keep; /* [keep_capacity] */
    size_t keep_capacity;
    struct hole *holes; /* in the order of their regions */
    size_t n_holes, holes_capacity;
    struct df_corner *corners; /* the polygon's */
    size_t n_corners, corners_capacity;
    size_t *ends;
    size_t n_ends, ends_capacity;
};

/* Room for `more` items behind count. -1 with the error set. */
static int grow(void **items, size_t *capacity, size_t count, size_t more, size_t size)
{
    if (*capacity - count >= more)
        return 0;
    const size_t wanted = count + more + (count + more) / 2 + 64;
    void *grown = realloc(*items, wanted * size);

    if (!grown)
        return df_error_memory("a mask's polygons", wanted * size);
    *items = grown;
    *capacity = wanted;
    return 0;
}

static bool is_traced(const struct tracing *tracing, int64_t pixel)
{
    const struct df_borders *borders = &tracing->borders;
    const struct df_corner corner = {(int32_t)(pixel % borders->width), (int32_t)(pixel / borders->width)};

    return !df_borders_leave(borders, corner, DF_EAST) ||
           (*df_borders_corner(borders, corner) & DF_CORNER_SEEN);
}

static int compare_holes(const void *a, const void *b)
{
    const struct hole *one = a, *other = b;

    if (one->region != other->region)
        return one->region < other->region ? -1 : 1;
    return (one->pixel > other->pixel) - (one->pixel < other->pixel);
}

/* A ring that is not its region's outer one, which has its first pixel, is a hole's. */
static int find_holes(struct tracing *tracing)
{
    const struct df_borders *borders = &tracing->borders;
    const int64_t pixels = borders->width * borders->height;

    for (int64_t i = 0; i < pixels; i++) {
        if (borders->regions[i] == i)
            DF_TRY(df_borders_trace(borders, i, &tracing->ring));
    }
    for (int64_t i = 0; i < pixels; i++) {
        if (borders->classes[i] == DF_IGNORE_LABEL || is_traced(tracing, i))
            continue;
        DF_TRY(df_borders_trace(borders, i, &tracing->ring));
        DF_TRY(grow((void **)&tracing->holes, &tracing->holes_capacity, tracing->n_holes, 1,
                    sizeof *tracing->holes));
        tracing->holes[tracing->n_holes++] = (struct hole){borders->regions[i], (uint32_t)i};
    }
    if (tracing->n_holes > 0)
        qsort(tracing->holes, tracing->n_holes, sizeof *tracing->holes, compare_holes);
    return 0;
}

/* Twice the signed area. */
static int64_t area_of(const struct df_ring *ring)
{
    int64_t area = 0;

    for (size_t i = 0; i < ring->count; i++) {
        const struct df_corner a = ring->corners[i], b = ring->corners[i + 1 < ring->count ? i + 1 : 0];
        area += (int64_t)a.x * b.y - (int64_t)b.x * a.y;
    }
    return area;
}

static int add_ring(struct tracing *tracing, int64_t pixel, struct df_polygon *polygon)
{
    struct df_ring *ring = &tracing->ring;

    DF_TRY(df_borders_trace(&tracing->borders, pixel, ring));
    polygon->pixels += area_of(ring) / 2;
    DF_TRY(grow((void **)&tracing->keep, &tracing->keep_capacity, 0, ring->count, 1));
    df_ring_simplify(&tracing->borders, ring, tracing->tolerance, tracing->keep);
    DF_TRY(grow((void **)&tracing->corners, &tracing->corners_capacity, tracing->n_corners, ring->count,
                sizeof *tracing->corners));
    DF_TRY(grow((void **)&tracing->ends, &tracing->ends_capacity, tracing->n_ends, 1, sizeof *tracing->ends));
    for (size_t i = 0; i < ring->count; i++)
        tracing->corners[tracing->n_corners++] = ring->corners[i];
    tracing->ends[tracing->n_ends++] = tracing->n_corners;
    return 0;
}

/* hole: the first that was not given to a region yet. */
static int trace_region(struct tracing *tracing, uint32_t region, size_t *hole, df_polygon_taker *take,
                        void *context)
{
    struct df_polygon polygon = {.class = tracing->borders.classes[region]};

    tracing->n_corners = tracing->n_ends = 0;
    DF_TRY(add_ring(tracing, region, &polygon));
    for (; *hole < tracing->n_holes && tracing->holes[*hole].region == region; ++*hole)
        DF_TRY(add_ring(tracing, tracing->holes[*hole].pixel, &polygon));
    polygon.corners = tracing->corners;
    polygon.ends = tracing->ends;
    polygon.rings = tracing->n_ends;
    return take(context, &polygon);
}

int df_polygons_trace(const uint8_t *classes, int64_t width, int64_t height, double tolerance,
                      df_polygon_taker *take, void *context)
{
    struct tracing tracing = {.tolerance = tolerance};
    size_t hole = 0;
    int status = df_borders_init(&tracing.borders, classes, width, height);

    if (status == 0)
        status = find_holes(&tracing);
    for (int64_t i = 0; i < width * height && status == 0; i++) {
        if (tracing.borders.regions[i] == i && classes[i] != DF_IGNORE_LABEL)
            status = trace_region(&tracing, (uint32_t)i, &hole, take, context);
    }
    df_borders_free(&tracing.borders);
    free(tracing.ring.corners);
    free(tracing.keep);
    free(tracing.holes);
    free(tracing.corners);
    free(tracing.ends);
    return status;
}
