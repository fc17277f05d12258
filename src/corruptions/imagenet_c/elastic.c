#include "imagenet_c.h"

#include "../pixels/smoothing.h"

#include "dinoft/error.h"

#include <math.h>
#include <string.h>

/* The level at (x + dx, y + dy), interpolated as scipy.ndimage.map_coordinates does it with order 1 and mode
 * 'reflect'. The package works on values / 255 in float32, whose rounding decides about truncated levels: in
 * flat areas the differences below are exactly 0. levels[v] = v / 255. */
static void take(const struct df_image *image, const float levels[256], int64_t x, int64_t y, float dx,
                 float dy, uint8_t out[3])
{
    const float whole_x = floorf(dx), whole_y = floorf(dy);
    const float part_x = dx - whole_x, part_y = dy - whole_y;
    const int64_t left = x + (int64_t)whole_x, top = y + (int64_t)whole_y;
    const uint8_t *above =
        image->pixels + border_index(top, image->height, BORDER_REFLECT) * image->width * 3;
    const uint8_t *below =
        image->pixels + border_index(top + 1, image->height, BORDER_REFLECT) * image->width * 3;
    const int64_t first = border_index(left, image->width, BORDER_REFLECT) * 3;
    const int64_t second = border_index(left + 1, image->width, BORDER_REFLECT) * 3;

    for (int c = 0; c < 3; c++) {
        const float a = levels[above[first + c]], b = levels[above[second + c]];
        const float d = levels[below[first + c]], e = levels[below[second + c]];
        const float upper = a + part_x * (b - a), lower = d + part_x * (e - d);
        out[c] = (uint8_t)((upper + part_y * (lower - upper)) * 255.0f);
    }
}

static void move(const struct df_image *source, const struct float_image *dx, const struct float_image *dy,
                 struct df_image *result)
{
    float levels[256];

    for (int i = 0; i < 256; i++)
        levels[i] = (float)i / 255.0f;
    for (int64_t y = 0; y < source->height; y++) {
        for (int64_t x = 0; x < source->width; x++) {
            const int64_t i = y * source->width + x;
            take(source, levels, x, y, dx->pixels[i], dy->pixels[i], result->pixels + 3 * i);
        }
    }
}

int imagenet_c_elastic_transform(struct df_corruption_job *job)
{
    static const double strengths[DF_SEVERITIES] = {250 * 0.05, 250 * 0.065, 250 * 0.085, 250 * 0.1,
                                                    250 * 0.12};
    struct df_image *image = job->image;
    const struct smoothing smoothing = {0.01 * (double)image->width, 0.01 * (double)image->height, 3.0};
    const double size = strengths[job->severity - 1] * 0.005 * (double)image->height; /* in both directions */
    struct float_image dx = {0}, dy = {0};
    struct df_image result = {0};
    int status = -1;

    if (float_image_alloc(&dx, image->width, image->height, 1) == 0 &&
        float_image_alloc(&dy, image->width, image->height, 1) == 0 &&
        smooth_noise(&job->rng, &smoothing, size, &dx) == 0 &&
        smooth_noise(&job->rng, &smoothing, size, &dy) == 0)
        status = df_image_alloc(&result, image->width, image->height, 3);
    if (status == 0) {
        move(image, &dx, &dy, &result);
        memcpy(image->pixels, result.pixels, (size_t)(image->width * image->height * 3));
    }
    df_image_free(&result);
    float_image_free(&dx);
    float_image_free(&dy);
    return status;
}
