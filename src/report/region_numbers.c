#include "dinoft/region_numbers.h"

#include "plot/canvas.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_SHARE  0.04 /* the text's size, of the shorter side */
#define TEXT_LEAST  14.0
#define DEPTH_SHARE 0.55 /* of the text's size: the least distance to the edges where it fits */
#define LEAST_DEPTH 3    /* for the only number of a class */

static const uint8_t ink[3] = {0x1b, 0x1e, 0x22};

/* Where a number goes. */
struct spot {
    int64_t x, y;
    int depth; /* pixels to the region's edge, itself counted; 0: no spot */
};

struct search {
    const struct df_image *classes;
    uint16_t *depths; /* [height, width]: rows or columns to the edge of the pixel's region or the image */
    uint8_t *visited; /* [height, width] */
    int32_t *region;  /* [height * width]: the pixels of the region that is looked at */
};

static int depth_beside(const struct search *search, int64_t i, int64_t neighbour)
{
    return search->classes->pixels[neighbour] == search->classes->pixels[i] ? search->depths[neighbour] + 1
                                                                            : 1;
}

/* The chessboard distance, in two passes: from above, then from below. */
static void measure_depths(const struct search *search)
{
    const int64_t width = search->classes->width, height = search->classes->height;
    const int64_t count = width * height, before[4] = {-width - 1, -width, -width + 1, -1};

    for (int pass = 0; pass < 2; pass++) {
        for (int64_t k = 0; k < count; k++) {
            const int64_t i = pass == 0 ? k : count - 1 - k, x = i % width, y = i / width;
            int depth = pass == 0 ? UINT16_MAX : search->depths[i];
            if (x == 0 || y == 0 || x == width - 1 || y == height - 1)
                depth = 1;
            for (int n = 0; n < 4 && depth > 1; n++) {
                const int beside = depth_beside(search, i, pass == 0 ? i + before[n] : i - before[n]);
                depth = beside < depth ? beside : depth;
            }
            search->depths[i] = (uint16_t)depth;
        }
    }
}

/* Adds a pixel to the region, if it belongs there and is new. */
static int64_t visit(const struct search *search, int64_t from, int64_t to, int64_t count)
{
    if (search->visited[to] || search->classes->pixels[to] != search->classes->pixels[from])
        return count;
    search->visited[to] = 1;
    search->region[count] = (int32_t)to;
    return count + 1;
}

/* Collects the region of pixel `first`; how many pixels it has. */
static int64_t collect_region(const struct search *search, int64_t first)
{
    const int64_t width = search->classes->width, height = search->classes->height;
    int64_t count = visit(search, first, first, 0);

    for (int64_t k = 0; k < count; k++) {
        const int64_t i = search->region[k], x = i % width, y = i / width;
        if (x > 0)
            count = visit(search, i, i - 1, count);
        if (x < width - 1)
            count = visit(search, i, i + 1, count);
        if (y > 0)
            count = visit(search, i, i - width, count);
        if (y < height - 1)
            count = visit(search, i, i + width, count);
    }
    return count;
}

/* Of the pixels that are farthest from the region's edge the one nearest to its middle. */
static struct spot find_spot(const struct search *search, int64_t count)
{
    const int64_t width = search->classes->width;
    struct spot spot = {0};
    double middle_x = 0, middle_y = 0, nearest = INFINITY;

    for (int64_t k = 0; k < count; k++) {
        const int64_t i = search->region[k];
        spot.depth = search->depths[i] > spot.depth ? search->depths[i] : spot.depth;
        middle_x += (double)(i % width) / (double)count;
        middle_y += (double)(i / width) / (double)count;
    }
    for (int64_t k = 0; k < count; k++) {
        const int64_t i = search->region[k];
        const double away = hypot((double)(i % width) - middle_x, (double)(i / width) - middle_y);
        if (search->depths[i] == spot.depth && away < nearest) {
            nearest = away;
            spot.x = i % width;
            spot.y = i / width;
        }
    }
    return spot;
}

static void write_number(struct df_image *picture, const struct spot *spot, int number, double size)
{
    struct df_text_style style = {
        .size = size, .anchor = DF_ANCHOR_MIDDLE, .color = {ink[0], ink[1], ink[2]}, .halo = true};
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    df_canvas_text(picture, (double)spot->x, (double)spot->y + 0.35 * size, text, &style);
}

static void write_numbers(struct df_image *picture, const struct search *search,
                          const struct df_palette *palette)
{
    const struct df_image *classes = search->classes;
    const double shorter = (double)df_min_i64(classes->width, classes->height);
    const double size = fmin(DF_TEXT_SIZE_MAX, fmax(TEXT_LEAST, TEXT_SHARE * shorter));
    struct spot widest[256] = {0}; /* of the classes without a number; depth -1: it has one */

    for (int64_t i = 0; i < classes->width * classes->height; i++) {
        const uint8_t number = classes->pixels[i];
        if (search->visited[i] || palette->shows_image[number])
            continue;
        const struct spot spot = find_spot(search, collect_region(search, i));
        if (spot.depth >= DEPTH_SHARE * size) {
            write_number(picture, &spot, number, size);
            widest[number].depth = -1;
        } else if (widest[number].depth >= 0 && spot.depth > widest[number].depth) {
            widest[number] = spot;
        }
    }
    for (int number = 0; number < 256; number++) {
        if (widest[number].depth >= LEAST_DEPTH)
            write_number(picture, &widest[number], number, size);
    }
}

int df_region_numbers_draw(struct df_image *picture, const struct df_image *classes,
                           const struct df_palette *palette)
{
    const size_t count = (size_t)(classes->width * classes->height);
    struct search search = {.classes = classes,
                            .depths = malloc(count * sizeof *search.depths),
                            .visited = calloc(count, 1),
                            .region = malloc(count * sizeof *search.region)};
    int status = 0;

    assert(picture->width == classes->width && picture->height == classes->height);
    if (search.depths && search.visited && search.region) {
        measure_depths(&search);
        write_numbers(picture, &search, palette);
    } else {
        status = df_error_memory("the regions of a picture",
                                 count * (sizeof *search.depths + 1 + sizeof *search.region));
    }
    free(search.depths);
    free(search.visited);
    free(search.region);
    return status;
}
