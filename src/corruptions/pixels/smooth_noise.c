#include "smoothing.h"

int smooth_noise(struct df_rng *rng, const struct smoothing *smoothing, double size,
                 struct float_image *plane)
{
    const int weights = 2 * smoothing_radius(smoothing->sigma_y, smoothing->truncate) + 1;
    const int64_t cosines = smoothing_cosines(plane->height, smoothing->sigma_y);
    struct float_image noise;

    int status = float_image_alloc(&noise, plane->width, plane->height, 1);
    if (status == 0) {
        df_rng_uniforms(rng, (float)-size, (float)size, noise.pixels, noise.width * noise.height);
        /* A weight costs a multiplication a pixel in each direction, a cosine one on its way there and back.
         */
        status = cosines < weights ? smooth_by_cosines(&noise, smoothing, plane)
                                   : smooth_by_filter(&noise, smoothing, BORDER_REFLECT, plane);
    }
    float_image_free(&noise);
    return status;
}
