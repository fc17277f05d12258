#include "chamfer.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

#define STRAIGHT 1.0f
#define DIAGONAL 1.4f
#define KNIGHT   2.1969f
#define BORDER   2 /* steps reach two pixels far */

static inline float smaller(float a, float b)
{
    return a < b ? a : b;
}

/* Lowers row to the shortest paths that come from the row next to it, `near`, and the one beyond, `far`. All
 * rows have BORDER values on both sides. */
static void come_from_rows(float *restrict row, const float *restrict near, const float *restrict far,
                           int64_t width)
{
    for (int64_t x = BORDER; x < width + BORDER; x++) {
        const float diagonal = smaller(near[x - 1], near[x + 1]) + DIAGONAL;
        const float steep = smaller(far[x - 1], far[x + 1]) + KNIGHT;
        const float flat = smaller(near[x - 2], near[x + 2]) + KNIGHT;
        row[x] = smaller(smaller(row[x], near[x] + STRAIGHT), smaller(diagonal, smaller(steep, flat)));
    }
}

/* Rows from above with steps to the right, then from below with steps to the left: every shortest path is
 * made of one of each kind. distances: [height + 2 BORDER, width + 2 BORDER]. */
static void spread(float *distances, int64_t width, int64_t height)
{
    const int64_t stride = width + 2 * BORDER;

    for (int64_t y = BORDER; y < height + BORDER; y++) {
        float *row = distances + y * stride;
        come_from_rows(row, row - stride, row - 2 * stride, width);
        for (int64_t x = BORDER; x < width + BORDER; x++)
            row[x] = smaller(row[x], row[x - 1] + STRAIGHT);
    }
    for (int64_t y = height + BORDER - 1; y >= BORDER; y--) {
        float *row = distances + y * stride;
        come_from_rows(row, row + stride, row + 2 * stride, width);
        for (int64_t x = width + BORDER - 1; x >= BORDER; x--)
            row[x] = smaller(row[x], row[x + 1] + STRAIGHT);
    }
}

int chamfer_distance(const struct df_image *edges, float most, struct float_image *distance)
{
    const int64_t stride = edges->width + 2 * BORDER;
    const int64_t count = stride * (edges->height + 2 * BORDER);
    float *distances = malloc((size_t)count * sizeof *distances);

    *distance = (struct float_image){0};
    if (!distances)
        return df_error_memory("distances to edges", (unsigned long long)count * sizeof *distances);
    for (int64_t i = 0; i < count; i++)
        distances[i] = most;
    for (int64_t y = 0; y < edges->height; y++) {
        float *row = distances + (y + BORDER) * stride + BORDER;
        for (int64_t x = 0; x < edges->width; x++)
            row[x] = edges->pixels[y * edges->width + x] ? 0.0f : most;
    }
    spread(distances, edges->width, edges->height);
    const int status = float_image_alloc(distance, edges->width, edges->height, 1);
    for (int64_t y = 0; y < edges->height && status == 0; y++)
        memcpy(distance->pixels + y * edges->width, distances + (y + BORDER) * stride + BORDER,
               (size_t)edges->width * sizeof *distances);
    free(distances);
    return status;
}
