#include "imagenet_c.h"

#include "../pixels/float_image.h"
#include "../pixels/zoom.h"

#include "dinoft/error.h"

#include <string.h>

/* Divided in double and rounded once, as the package does it. */
static int image_of_fractions(struct float_image *image, const struct df_image *bytes)
{
    float fractions[256];

    DF_TRY(float_image_alloc(image, bytes->width, bytes->height, bytes->channels));
    for (int value = 0; value < 256; value++)
        fractions[value] = (float)(value / 255.0);
    for (int64_t i = 0; i < bytes->width * bytes->height * bytes->channels; i++)
        image->pixels[i] = fractions[bytes->pixels[i]];
    return 0;
}

/* The mean of the image and its enlargements, the first of which, by 1, is the image again. */
int imagenet_c_zoom_blur(struct df_corruption_job *job)
{
    static const struct {
        double end, step;
    } of_severity[DF_SEVERITIES] = {{1.11, 0.01}, {1.16, 0.01}, {1.21, 0.02}, {1.26, 0.02}, {1.31, 0.03}};
    const double end = of_severity[job->severity - 1].end, step = of_severity[job->severity - 1].step;
    const int count = zoom_factor_count(end, step);
    struct float_image image, sum = {0};
    int status = -1;

    if (image_of_fractions(&image, job->image) != 0 ||
        float_image_alloc(&sum, image.width, image.height, image.channels) != 0)
        goto done;
    const int64_t values = image.width * image.height * image.channels;
    memcpy(sum.pixels, image.pixels, (size_t)values * sizeof *sum.pixels);
    for (int i = 1; i < count; i++) {
        if (clipped_zoom_add(&image, zoom_factor(step, i), &sum) != 0)
            goto done;
    }
    for (int64_t i = 0; i < values; i++)
        sum.pixels[i] = (image.pixels[i] + sum.pixels[i]) / (float)(count + 1);
    float_image_to_bytes(&sum, 255.0f, job->image);
    status = 0;
done:
    float_image_free(&image);
    float_image_free(&sum);
    return status;
}
