#include "reference.h"

#include "../pixels/opencv_gaussian.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

/* Albumentations' mode "fast" makes all assignments of a round at once: each pixel takes the colour of
 * another nearby, then that one takes its colour, unless a later pixel overwrites it. "Later" is in the order
 * of columns, from the last to the first, and of rows within them. */
static void swap_pixels(struct df_image *image, const uint8_t *before, uint8_t *draws, int reach,
                        struct df_rng *rng)
{
    const int64_t width = image->width, height = image->height;
    const int sides = 2 * reach;

    for (int64_t y = height - reach; y > reach; y--) {
        for (int64_t x = width - reach; x > reach; x--) {
            const int draw = (int)df_rng_below(rng, (uint64_t)(sides * sides));
            const int64_t other = (y + draw / sides - reach) * width + x + draw % sides - reach;
            draws[y * width + x] = (uint8_t)draw;
            memcpy(image->pixels + 3 * (y * width + x), before + 3 * other, 3);
        }
    }
    for (int64_t x = width - reach; x > reach; x--) {
        for (int64_t y = height - reach; y > reach; y--) {
            const int draw = draws[y * width + x];
            const int64_t other = (y + draw / sides - reach) * width + x + draw % sides - reach;
            memcpy(image->pixels + 3 * other, before + 3 * (y * width + x), 3);
        }
    }
}

int reference_glass_blur(struct df_corruption_job *job)
{
    static const struct {
        double sigma;
        int reach, rounds;
    } of_severity[DF_SEVERITIES] = {{0.7, 1, 2}, {0.9, 2, 1}, {1.0, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}};
    const int i = job->severity - 1;
    const size_t pixels = (size_t)(job->image->width * job->image->height);
    const int size = opencv_gaussian_size(of_severity[i].sigma);
    uint8_t *before = malloc(3 * pixels), *draws = malloc(pixels);
    int status = -1;

    if (!before || !draws) {
        df_error_memory("scattering pixels", 4 * (unsigned long long)pixels);
        goto done;
    }
    if (opencv_gaussian_blur(job->image, size, of_severity[i].sigma) != 0)
        goto done;
    for (int k = 0; k < of_severity[i].rounds; k++) {
        memcpy(before, job->image->pixels, 3 * pixels);
        swap_pixels(job->image, before, draws, of_severity[i].reach, &job->rng);
    }
    status = opencv_gaussian_blur(job->image, size, of_severity[i].sigma);
done:
    free(before);
    free(draws);
    return status;
}
