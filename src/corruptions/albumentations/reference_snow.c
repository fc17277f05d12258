#include "reference.h"

#include "../pixels/hls_bytes.h"

/* Albumentations' RandomSnow: what is darker than a random lightness becomes brighter by 2.5. */
int reference_random_snow(struct df_corruption_job *job)
{
    static const double upper_points[DF_SEVERITIES] = {0.1, 0.2, 0.45, 0.45, 0.55};
    const double point = df_rng_uniform(&job->rng, 0.1, upper_points[job->severity - 1]);
    const double limit = point * 127.5 + 85.0;
    const int64_t count = job->image->width * job->image->height;
    uint8_t *pixels = job->image->pixels;
    uint8_t snowed[256];

    for (int light = 0; light < 256; light++) {
        const int brighter = light < limit ? light * 5 / 2 : light;
        snowed[light] = (uint8_t)(brighter > 255 ? 255 : brighter);
    }
    hls_bytes_from_rgb(pixels, pixels, count);
    for (int64_t i = 0; i < count; i++)
        pixels[3 * i + 1] = snowed[pixels[3 * i + 1]];
    hls_bytes_to_rgb(pixels, pixels, count);
    return 0;
}
