/* The borders of a mask's regions: connected pixels of one class, each with its neighbours above, below, left
 * and right (4-connected). They run along pixels' edges: x to the right, y down, and pixel (0, 0) is the
 * square from (0, 0) to (1, 1). */
#ifndef DINOFT_DATA_SHAPES_BORDERS_H
#define DINOFT_DATA_SHAPES_BORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Directions, turning right from one to the next. */
enum df_heading { DF_EAST, DF_SOUTH, DF_WEST, DF_NORTH };

/* Bits of df_borders.corners. */
enum {
    DF_CORNER_BORDER = 1, /* a border runs through it */
    DF_CORNER_NODE = 2,   /* three or four borders meet here, or it is the image's */
    DF_CORNER_SEEN = 4,   /* the border to the east, of the pixel below, was traced */
};

struct df_corner {
    int32_t x, y;
};

struct df_borders {
    const uint8_t *classes; /* [height, width]; borrowed */
    int64_t width, height;
    uint32_t *regions; /* [height, width]: the index of the region's first pixel */
    uint8_t *corners;  /* [height + 1, width + 1], of pixels */
};

/* A closed line of steps of one pixel, without its first corner at the end; it grows. */
struct df_ring {
    struct df_corner *corners;
    size_t count, capacity;
};

/* width x height: at most DF_IMAGE_MAX_PIXELS. -1 with the error set; free it in either case. */
int df_borders_init(struct df_borders *borders, const uint8_t *classes, int64_t width, int64_t height);
void df_borders_free(struct df_borders *borders);

/* Whether a border leaves a corner in a direction. */
bool df_borders_leave(const struct df_borders *borders, struct df_corner corner, enum df_heading heading);

struct df_corner df_corner_next(struct df_corner corner, enum df_heading heading);

static inline uint8_t *df_borders_corner(const struct df_borders *borders, struct df_corner corner)
{
    return &borders->corners[corner.y * (borders->width + 1) + corner.x];
}

/* The ring of a region's border that has the upper edge of a pixel: the region lies to the right of each
 * step. No corner is in it twice: where two pixels of the region touch at a corner alone, it goes on along
 * the other one. -1 with the error set. */
int df_borders_trace(const struct df_borders *borders, int64_t pixel, struct df_ring *ring);

#endif
