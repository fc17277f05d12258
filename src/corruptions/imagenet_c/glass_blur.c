#include "imagenet_c.h"

#include "../pixels/filters.h"

#include "dinoft/error.h"

#include <string.h>

/* Each pixel, from the last to the first, takes the colours of one nearby, at most `reach` before it and less
 * than that after it each way. The package means to swap the two, but its assignment reads views of what it
 * has just written: nothing goes the other way. */
static void scatter(struct df_image *image, int reach, struct df_rng *rng)
{
    const int64_t width = image->width;
    const uint64_t sides = 2 * (uint64_t)reach;

    for (int64_t y = image->height - reach; y > reach; y--) {
        for (int64_t x = width - reach; x > reach; x--) {
            const uint64_t draw = df_rng_below(rng, sides * sides);
            const int64_t from_x = x + (int64_t)(draw % sides) - reach;
            const int64_t from_y = y + (int64_t)(draw / sides) - reach;
            memmove(image->pixels + (y * width + x) * 3, image->pixels + (from_y * width + from_x) * 3, 3);
        }
    }
}

int imagenet_c_glass_blur(struct df_corruption_job *job)
{
    static const struct {
        double sigma;
        int reach, repeats;
    } of_severity[DF_SEVERITIES] = {{0.7, 1, 2}, {0.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}};
    const int i = job->severity - 1;

    DF_TRY(gaussian_filter_bytes(job->image, of_severity[i].sigma));
    for (int k = 0; k < of_severity[i].repeats; k++)
        scatter(job->image, of_severity[i].reach, &job->rng);
    return gaussian_filter_bytes(job->image, of_severity[i].sigma);
}
