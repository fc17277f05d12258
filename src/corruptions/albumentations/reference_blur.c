#include "reference.h"

#include "../pixels/disk_blur.h"
#include "../pixels/opencv_gaussian.h"

/* A kernel size of low .. high, where an even one is rounded up. */
int reference_gaussian_blur(struct df_corruption_job *job)
{
    static const struct {
        int low, high; /* severity 1's limit of 0 .. 1 becomes 3 .. 3 */
    } of_severity[DF_SEVERITIES] = {{3, 3}, {1, 3}, {1, 3}, {3, 5}, {5, 7}};
    const int low = of_severity[job->severity - 1].low, high = of_severity[job->severity - 1].high;
    const int size = low + (int)df_rng_below(&job->rng, (uint64_t)(high - low + 1));

    return opencv_gaussian_blur(job->image, size | 1, 0.0);
}

/* OpenCV rounds here; what it rounds is never below 0. */
static void take_rounded_bytes(void *df_image, int64_t y, const double *row)
{
    const struct df_image *image = df_image;
    const int64_t values = image->width * image->channels;
    uint8_t *to = image->pixels + y * values;

    for (int64_t i = 0; i < values; i++) {
        const int32_t value = (int32_t)(row[i] + 0.5);
        to[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}

int reference_defocus(struct df_corruption_job *job)
{
    static const struct {
        int most_radius;
        double most_alias_blur;
    } of_severity[DF_SEVERITIES] = {{3, 0.1}, {4, 0.5}, {6, 0.5}, {8, 0.5}, {10, 0.5}};
    const int i = job->severity - 1;
    const int radius = 1 + (int)df_rng_below(&job->rng, (uint64_t)of_severity[i].most_radius);
    const double alias_blur = df_rng_uniform(&job->rng, 0.0, of_severity[i].most_alias_blur);

    return disk_blur(job->image, radius, alias_blur, take_rounded_bytes, job->image);
}
