#include "borders.h"

#include "dinoft/error.h"

#include <stdlib.h>

#define OUTSIDE UINT32_MAX

static uint32_t region_at(const struct df_borders *borders, int64_t x, int64_t y)
{
    if (x < 0 || y < 0 || x >= borders->width || y >= borders->height)
        return OUTSIDE;
    return borders->regions[y * borders->width + x];
}

static uint32_t first_of(uint32_t *regions, uint32_t pixel)
{
    while (regions[pixel] != pixel)
        pixel = regions[pixel] = regions[regions[pixel]];
    return pixel;
}

/* Each pixel points to one before it, which is made the first one at the end. */
static void find_regions(struct df_borders *borders)
{
    const uint8_t *classes = borders->classes;
    uint32_t *regions = borders->regions;
    const int64_t width = borders->width, pixels = width * borders->height;

    for (int64_t i = 0; i < pixels; i++) {
        regions[i] =
            i % width > 0 && classes[i - 1] == classes[i] ? first_of(regions, (uint32_t)i - 1) : (uint32_t)i;
        if (i < width || classes[i - width] != classes[i])
            continue;
        const uint32_t above = first_of(regions, (uint32_t)(i - width)), own = regions[i];
        const uint32_t first = above < own ? above : own;
        regions[above] = regions[own] = regions[i] = first;
    }
    for (int64_t i = 0; i < pixels; i++)
        regions[i] = regions[regions[i]];
}

/* The pixels at both sides of a border. */
bool df_borders_leave(const struct df_borders *borders, struct df_corner corner, enum df_heading heading)
{
    const int64_t x = corner.x, y = corner.y;

    switch (heading) {
    case DF_EAST:
        return region_at(borders, x, y - 1) != region_at(borders, x, y);
    case DF_SOUTH:
        return region_at(borders, x - 1, y) != region_at(borders, x, y);
    case DF_WEST:
        return region_at(borders, x - 1, y - 1) != region_at(borders, x - 1, y);
    case DF_NORTH:
        break;
    }
    return region_at(borders, x - 1, y - 1) != region_at(borders, x, y - 1);
}

struct df_corner df_corner_next(struct df_corner corner, enum df_heading heading)
{
    corner.x += heading == DF_EAST ? 1 : heading == DF_WEST ? -1 : 0;
    corner.y += heading == DF_SOUTH ? 1 : heading == DF_NORTH ? -1 : 0;
    return corner;
}

static void find_corners(struct df_borders *borders)
{
    for (int32_t y = 0; y <= borders->height; y++) {
        for (int32_t x = 0; x <= borders->width; x++) {
            const struct df_corner corner = {x, y};
            const bool is_image = (x == 0 || x == borders->width) && (y == 0 || y == borders->height);
            int count = 0;
            for (int heading = DF_EAST; heading <= DF_NORTH; heading++)
                count += df_borders_leave(borders, corner, (enum df_heading)heading);
            *df_borders_corner(borders, corner) =
                (uint8_t)((count > 0 ? DF_CORNER_BORDER : 0) | (count > 2 || is_image ? DF_CORNER_NODE : 0));
        }
    }
}

int df_borders_init(struct df_borders *borders, const uint8_t *classes, int64_t width, int64_t height)
{
    const size_t pixels = (size_t)width * (size_t)height;
    const size_t corners = ((size_t)width + 1) * ((size_t)height + 1);

    *borders = (struct df_borders){.classes = classes, .width = width, .height = height};
    borders->regions = malloc(pixels * sizeof *borders->regions);
    borders->corners = malloc(corners);
    if (!borders->regions || !borders->corners)
        return df_error_memory("a mask's regions", pixels * sizeof *borders->regions + corners);
    find_regions(borders);
    find_corners(borders);
    return 0;
}

void df_borders_free(struct df_borders *borders)
{
    free(borders->regions);
    free(borders->corners);
    *borders = (struct df_borders){0};
}

static int add_corner(struct df_ring *ring, struct df_corner corner)
{
    if (ring->count == ring->capacity) {
        const size_t capacity = ring->capacity ? 2 * ring->capacity : 1024;
        struct df_corner *corners = realloc(ring->corners, capacity * sizeof *corners);
        if (!corners)
            return df_error_memory("a region's border", capacity * sizeof *corners);
        ring->corners = corners;
        ring->capacity = capacity;
    }
    ring->corners[ring->count++] = corner;
    return 0;
}

/* The pixel to the left of a step from a corner, or to the right of it. */
static uint32_t beside(const struct df_borders *borders, struct df_corner corner, enum df_heading heading,
                       bool right)
{
    const enum df_heading side = (enum df_heading)((heading + (right ? 1 : 3)) % 4);
    const int64_t x = corner.x - (heading == DF_WEST || side == DF_WEST);
    const int64_t y = corner.y - (heading == DF_NORTH || side == DF_NORTH);

    return region_at(borders, x, y);
}

int df_borders_trace(const struct df_borders *borders, int64_t pixel, struct df_ring *ring)
{
    const uint32_t region = borders->regions[pixel];
    const struct df_corner start = {(int32_t)(pixel % borders->width), (int32_t)(pixel / borders->width)};
    struct df_corner at = start;
    enum df_heading heading = DF_EAST;

    ring->count = 0;
    do {
        DF_TRY(add_corner(ring, at));
        if (heading == DF_EAST)
            *df_borders_corner(borders, at) |= DF_CORNER_SEEN;
        at = df_corner_next(at, heading);
        if (beside(borders, at, heading, false) == region)
            heading = (enum df_heading)((heading + 3) % 4);
        else if (beside(borders, at, heading, true) != region)
            heading = (enum df_heading)((heading + 1) % 4);
    } while (at.x != start.x || at.y != start.y);
    return 0;
}
