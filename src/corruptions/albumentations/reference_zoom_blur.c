#include "reference.h"

#include "../pixels/zoom.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>

/* What the enlargements are added to: an image, and where it lies in the enlarged one. */
struct layers {
    int64_t width, height;
    int64_t left, top;
    uint16_t *sums; /* [height, width, 3] */
};

static void add_row(void *result, int64_t y, const uint8_t *row)
{
    const struct layers *layers = result;
    const uint8_t *from = row + layers->left * 3;

    if (y < layers->top || y >= layers->top + layers->height)
        return;
    uint16_t *restrict to = layers->sums + (y - layers->top) * layers->width * 3;
    for (int64_t i = 0; i < layers->width * 3; i++)
        to[i] = (uint16_t)(to[i] + from[i]);
}

/* Adds the middle 1/factor of the image, enlarged by OpenCV to at least the image's size. */
static int add_enlarged(struct layers *layers, const struct df_image *image, double factor)
{
    struct df_image_part middle = {.width = (int64_t)ceil((double)image->width / factor),
                                   .height = (int64_t)ceil((double)image->height / factor)};
    middle.x = (image->width - middle.width) / 2;
    middle.y = (image->height - middle.height) / 2;
    const int64_t width = df_max_i64((int64_t)((double)middle.width * factor), image->width);
    const int64_t height = df_max_i64((int64_t)((double)middle.height * factor), image->height);

    layers->left = (width - image->width) / 2;
    layers->top = (height - image->height) / 2;
    return df_resize_linear_part(image, &middle, width, height, add_row, layers);
}

/* The mean of the image and its enlargements, the first of which, by 1, is the image again, truncated. */
int reference_zoom_blur(struct df_corruption_job *job)
{
    static const double most[DF_SEVERITIES] = {1.11, 1.16, 1.21, 1.26, 1.31};
    struct df_image *image = job->image;
    const int64_t values = image->width * image->height * 3;
    const double end = df_rng_uniform(&job->rng, 1.0, most[job->severity - 1]);
    const double step = df_rng_uniform(&job->rng, 0.01, 0.03);
    const int count = zoom_factor_count(end, step);
    uint16_t *sums = malloc((size_t)values * sizeof *sums);
    struct layers layers = {.width = image->width, .height = image->height, .sums = sums};
    int status = -1;

    if (!sums) {
        df_error_memory("a zoom blur", 2 * (unsigned long long)values);
        goto done;
    }
    for (int64_t i = 0; i < values; i++)
        sums[i] = (uint16_t)(image->pixels[i] * (count > 0 ? 2 : 1));
    for (int i = 1; i < count; i++) {
        if (add_enlarged(&layers, image, zoom_factor(step, i)) != 0)
            goto done;
    }
    /* A half keeps the product of the rounded reciprocal on the right side of every integer. */
    const float reciprocal = 1.0f / (float)(count + 1);
    for (int64_t i = 0; i < values; i++)
        image->pixels[i] = (uint8_t)(int32_t)(((float)sums[i] + 0.5f) * reciprocal);
    status = 0;
done:
    free(sums);
    return status;
}
