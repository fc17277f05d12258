#include "reference.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>

/* Adds the middle 1/factor of the image, enlarged by OpenCV to at least the image's size, to sums. enlarged
 * has room for a pixel more than the image each way. */
static int add_enlarged(const struct df_image *image, double factor, uint8_t *enlarged, uint16_t *sums)
{
    struct df_image_part middle = {.width = (int64_t)ceil((double)image->width / factor),
                                   .height = (int64_t)ceil((double)image->height / factor)};
    middle.x = (image->width - middle.width) / 2;
    middle.y = (image->height - middle.height) / 2;
    const int64_t width = df_max_i64((int64_t)((double)middle.width * factor), image->width);
    const int64_t height = df_max_i64((int64_t)((double)middle.height * factor), image->height);
    const int64_t left = (width - image->width) / 2, top = (height - image->height) / 2;

    DF_TRY(df_resize_linear_part(image, &middle, enlarged, width, height));
    for (int64_t y = 0; y < image->height; y++) {
        const uint8_t *from = enlarged + ((top + y) * width + left) * 3;
        uint16_t *to = sums + y * image->width * 3;
        for (int64_t i = 0; i < image->width * 3; i++)
            to[i] = (uint16_t)(to[i] + from[i]);
    }
    return 0;
}

/* The mean of the image and its enlargements by numpy.arange(1, most, step), of which the first is the image
 * again, truncated. */
int reference_zoom_blur(struct df_corruption_job *job)
{
    static const double most[DF_SEVERITIES] = {1.11, 1.16, 1.21, 1.26, 1.31};
    struct df_image *image = job->image;
    const int64_t values = image->width * image->height * 3;
    const double end = df_rng_uniform(&job->rng, 1.0, most[job->severity - 1]);
    const double step = df_rng_uniform(&job->rng, 0.01, 0.03);
    const int count = (int)ceil((end - 1.0) / step);
    uint16_t *sums = malloc((size_t)values * sizeof *sums);
    uint8_t *enlarged = malloc((size_t)((image->width + 1) * (image->height + 1) * 3));
    int status = -1;

    if (!sums || !enlarged) {
        df_error_memory("a zoom blur", 3 * (unsigned long long)values);
        goto done;
    }
    for (int64_t i = 0; i < values; i++)
        sums[i] = (uint16_t)(image->pixels[i] * (count > 0 ? 2 : 1));
    for (int i = 1; i < count; i++) {
        if (add_enlarged(image, 1.0 + i * step, enlarged, sums) != 0)
            goto done;
    }
    /* A half keeps the product of the rounded reciprocal on the right side of every integer. */
    const float reciprocal = 1.0f / (float)(count + 1);
    for (int64_t i = 0; i < values; i++)
        image->pixels[i] = (uint8_t)(int32_t)(((float)sums[i] + 0.5f) * reciprocal);
    status = 0;
done:
    free(sums);
    free(enlarged);
    return status;
}
