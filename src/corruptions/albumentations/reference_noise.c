/* The reference suite's noises. */
#include "reference.h"

#include "../pixels/colour.h"
#include "../pixels/normal_noise.h"

#include "dinoft/poisson.h"
#include "dinoft/size.h"

#include <math.h>

#define BLOCK 512 /* pixels */

int reference_gauss_noise(struct df_corruption_job *job)
{
    static const double variances[DF_SEVERITIES][2] = {{0, 8}, {8, 12}, {12, 18}, {18, 26}, {26, 38}};
    const double *range = variances[job->severity - 1];
    const double variance = df_rng_uniform(&job->rng, range[0], range[1]);

    add_normal_noise(job->image, &job->rng, (float)sqrt(variance), 0.0f);
    return 0;
}

/* The standard deviation of the lightness of HLS, half the sum of a pixel's largest and smallest channel, in
 * [0, 0.5].
 */
static double lightness_deviation(const struct df_image *image)
{
    const int64_t pixels = image->width * image->height;
    int64_t sum = 0, square = 0;

    for (int64_t i = 0; i < pixels * 3; i += 3) {
        const uint8_t *rgb = image->pixels + i;
        const int most = rgb[0] > rgb[1] ? rgb[0] : rgb[1], least = rgb[0] < rgb[1] ? rgb[0] : rgb[1];
        const int twice = (most > rgb[2] ? most : rgb[2]) + (least < rgb[2] ? least : rgb[2]);
        sum += twice;
        square += (int64_t)twice * twice;
    }
    const double mean = (double)sum / (double)pixels;
    return sqrt(fmax(0.0, (double)square / (double)pixels - mean * mean)) / 510.0;
}

/* Shifts each hue by a normal number of degrees and brings each lightness nearer to white by a count of
 * 255ths. */
static void add_iso_noise(float *hls, int64_t pixels, float degrees, const struct df_poisson *counts,
                          struct df_rng *rng)
{
    float shifts[BLOCK];

    df_rng_normals(rng, shifts, pixels);
    for (int64_t i = 0; i < pixels; i++) {
        const float share = (float)df_poisson_draw(counts, rng) / 255.0f;
        hls[i * 3] += shifts[i] * degrees;
        hls[i * 3 + 1] += share * (1.0f - hls[i * 3 + 1]);
    }
}

int reference_iso_noise(struct df_corruption_job *job)
{
    static const double intensities[DF_SEVERITIES][2] = {
        {0, 0.3}, {0.5, 0.7}, {0.6, 0.9}, {0.6, 0.9}, {0.9, 1.2}};
    const double *range = intensities[job->severity - 1];
    const double color_shift = df_rng_uniform(&job->rng, 0.01, 0.05);
    const double intensity = df_rng_uniform(&job->rng, range[0], range[1]);
    const int64_t pixels = job->image->width * job->image->height;
    const double mean = lightness_deviation(job->image) * intensity * 255;
    struct df_poisson counts;
    float hls[BLOCK * 3];

    if (df_poisson_open(&counts, mean, DF_POISSON_MOST) != 0)
        return -1;
    for (int64_t start = 0; start < pixels; start += BLOCK) {
        const int64_t count = df_min_i64(BLOCK, pixels - start);
        uint8_t *rgb = job->image->pixels + start * 3;
        rgb_to_hls(rgb, hls, count);
        add_iso_noise(hls, count, (float)(color_shift * 360 * intensity), &counts, &job->rng);
        hls_to_rgb(hls, rgb, count);
    }
    df_poisson_close(&counts);
    return 0;
}
