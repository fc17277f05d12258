#include "reference.h"

#include "../pixels/line_blur.h"

/* Two different points of a square. */
static void draw_ends(struct point ends[2], int size, struct df_rng *rng)
{
    ends[0].x = (int)df_rng_below(rng, (uint64_t)size);
    ends[1].x = (int)df_rng_below(rng, (uint64_t)size);
    ends[0].y = (int)df_rng_below(rng, (uint64_t)size);
    if (ends[0].x != ends[1].x) {
        ends[1].y = (int)df_rng_below(rng, (uint64_t)size);
        return;
    }
    ends[1].y = (int)df_rng_below(rng, (uint64_t)size - 1);
    ends[1].y += ends[1].y >= ends[0].y;
}

/* Albumentations blurs along a line between two random points of a square of random odd size. */
int reference_motion_blur(struct df_corruption_job *job)
{
    static const int most_size[DF_SEVERITIES] = {3, 3, 5, 9, LINE_MOST_SIZE};
    const uint64_t sizes = (uint64_t)(most_size[job->severity - 1] - 3) / 2 + 1;
    const int size = 3 + 2 * (int)df_rng_below(&job->rng, sizes);
    struct point ends[2], points[LINE_MOST_SIZE];

    draw_ends(ends, size, &job->rng);
    const int count = line_points(points, ends[0], ends[1]);
    return line_blur(job->image, points, count, size);
}
