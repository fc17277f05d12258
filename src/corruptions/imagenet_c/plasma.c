#include "plasma.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Places the coarse points at the even rows and columns of a grid twice as fine and fills the middles of the
 * squares between them. draws[side]. */
static void fill_squares(const float *restrict coarse, int64_t side, float width, struct df_rng *rng,
                         float *restrict draws, float *restrict fine)
{
    for (int64_t y = 0; y < side; y++) {
        const float *row = coarse + y * side;
        const float *below = coarse + (y + 1) % side * side;
        float *even = fine + 4 * y * side;
        float *odd = even + 2 * side;
        df_rng_uniforms(rng, -width, width, draws, side);
        for (int64_t x = 0; x < side; x++) {
            const int64_t right = x + 1 < side ? x + 1 : 0;
            even[2 * x] = row[x];
            odd[2 * x + 1] = (row[x] + below[x] + row[right] + below[right]) * 0.25f + draws[x];
        }
    }
}

/* Fills the points of a row of the fine grid that have two corners of squares beside them (in the row) and
 * two middles above and below, or the other way round: those at first, first + 2, … draws[side / 2]. */
static void fill_diamonds(const float *restrict above, float *restrict row, const float *restrict below,
                          int64_t side, int64_t first, float width, struct df_rng *rng, float *restrict draws)
{
    df_rng_uniforms(rng, -width, width, draws, side / 2);
    for (int64_t x = first; x < side; x += 2) {
        const float left = row[x > 0 ? x - 1 : side - 1];
        const float right = row[x + 1 < side ? x + 1 : 0];
        row[x] = (above[x] + below[x] + left + right) * 0.25f + draws[x / 2];
    }
}

/* From a grid of side x side points to one of 2 side x 2 side. */
static void refine(const float *coarse, int64_t side, float width, struct df_rng *rng, float *draws,
                   float *fine)
{
    const int64_t twice = 2 * side;

    fill_squares(coarse, side, width, rng, draws, fine);
    for (int64_t y = 0; y < twice; y++) {
        const float *above = fine + (y + twice - 1) % twice * twice;
        const float *below = fine + (y + 1) % twice * twice;
        fill_diamonds(above, fine + y * twice, below, twice, 1 - y % 2, width, rng, draws);
    }
}

static void bring_to_unit_range(struct float_image *map)
{
    const int64_t count = map->width * map->height;
    float least = INFINITY, most = -INFINITY;

    for (int64_t i = 0; i < count; i++) {
        least = map->pixels[i] < least ? map->pixels[i] : least;
        most = map->pixels[i] > most ? map->pixels[i] : most;
    }
    for (int64_t i = 0; i < count; i++)
        map->pixels[i] = (map->pixels[i] - least) / (most - least);
}

int plasma_fractal(struct df_rng *rng, int64_t size, double decay, struct float_image *map)
{
    struct float_image coarse = {0};
    double wibble = 100.0; /* the package scales a draw of this width by it once more */
    int status = -1;

    assert(size >= 2 && (size & (size - 1)) == 0);
    *map = (struct float_image){0};
    float *draws = malloc((size_t)size * sizeof *draws);
    if (!draws)
        df_error_memory("a row of fog", (unsigned long long)size * sizeof *draws);
    if (!draws || float_image_alloc(map, size, size, 1) != 0 ||
        float_image_alloc(&coarse, size / 2, size / 2, 1) != 0)
        goto done;
    map->pixels[0] = 0.0f;
    for (int64_t side = 1; side < size; side *= 2) {
        memcpy(coarse.pixels, map->pixels, (size_t)(side * side) * sizeof *map->pixels);
        refine(coarse.pixels, side, (float)(wibble * wibble), rng, draws, map->pixels);
        wibble /= decay;
    }
    bring_to_unit_range(map);
    status = 0;
done:
    free(draws);
    float_image_free(&coarse);
    return status;
}
