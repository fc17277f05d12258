/* ImageNet-C's changes of single values, and JPEG. What the package computes in double is computed so here:
 * results are truncated, and many lie at a whole level. */
#include "imagenet_c.h"

#include "../pixels/colour.h"

#include "dinoft/size.h"

#define BLOCK 256 /* pixels */

/* Runs change(hsv, pixels, parameters) over the image in HSV. */
static void change_in_hsv(struct df_image *image,
                          void (*change)(double *hsv, int64_t pixels, const double parameters[2]),
                          const double parameters[2])
{
    const int64_t pixels = image->width * image->height;
    double hsv[BLOCK * 3];

    for (int64_t start = 0; start < pixels; start += BLOCK) {
        const int64_t count = df_min_i64(BLOCK, pixels - start);
        uint8_t *rgb = image->pixels + start * 3;
        rgb_to_hsv(rgb, hsv, count);
        change(hsv, count, parameters);
        hsv_to_rgb(hsv, rgb, count);
    }
}

static double clipped(double value)
{
    return value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value;
}

static void raise_value(double *hsv, int64_t pixels, const double parameters[2])
{
    for (int64_t i = 0; i < pixels; i++)
        hsv[i * 3 + 2] = clipped(hsv[i * 3 + 2] + parameters[0]);
}

static void change_saturation(double *hsv, int64_t pixels, const double parameters[2])
{
    for (int64_t i = 0; i < pixels; i++)
        hsv[i * 3 + 1] = clipped(hsv[i * 3 + 1] * parameters[0] + parameters[1]);
}

int imagenet_c_brightness(struct df_corruption_job *job)
{
    static const double parameters[DF_SEVERITIES][2] = {{0.1}, {0.2}, {0.3}, {0.4}, {0.5}};

    change_in_hsv(job->image, raise_value, parameters[job->severity - 1]);
    return 0;
}

int imagenet_c_saturate(struct df_corruption_job *job)
{
    static const double parameters[DF_SEVERITIES][2] = {{0.3, 0}, {0.1, 0}, {2, 0}, {5, 0.1}, {20, 0.2}};

    change_in_hsv(job->image, change_saturation, parameters[job->severity - 1]);
    return 0;
}

/* A channel has a mean of its own, and 256 levels to compute. */
int imagenet_c_contrast(struct df_corruption_job *job)
{
    static const double factors[DF_SEVERITIES] = {0.4, 0.3, 0.2, 0.1, 0.05};
    const double factor = factors[job->severity - 1];
    const int64_t values = job->image->width * job->image->height * 3;
    uint8_t *pixels = job->image->pixels;
    uint8_t levels[3][256];
    int64_t sums[3] = {0};

    for (int64_t i = 0; i < values; i += 3) {
        for (int c = 0; c < 3; c++)
            sums[c] += pixels[i + c];
    }
    for (int c = 0; c < 3; c++) {
        const double mean = (double)sums[c] / 255.0 / (double)(values / 3);
        for (int level = 0; level < 256; level++)
            levels[c][level] = (uint8_t)(clipped((level / 255.0 - mean) * factor + mean) * 255);
    }
    for (int64_t i = 0; i < values; i += 3) {
        for (int c = 0; c < 3; c++)
            pixels[i + c] = levels[c][pixels[i + c]];
    }
    return 0;
}

int imagenet_c_jpeg_compression(struct df_corruption_job *job)
{
    static const int qualities[DF_SEVERITIES] = {25, 18, 15, 10, 7};

    return df_jpeg_round_trip(job->image, qualities[job->severity - 1]);
}
