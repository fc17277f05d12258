#include "filters.h"

#include "row_filter.h"
#include "weights.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* weights [2 * radius + 1]. */
static double *gaussian_weights(double sigma, int radius)
{
    const int count = 2 * radius + 1;
    double *weights = malloc((size_t)count * sizeof *weights);

    if (!weights) {
        df_error_memory("a Gaussian", (unsigned long long)count * sizeof *weights);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        weights[i] = exp(-0.5 / (sigma * sigma) * ((double)(i - radius) * (i - radius)));
    normalise_weights(weights, count);
    return weights;
}

static int gaussian_radius(double sigma, double truncate)
{
    assert(sigma > 0.0);
    return (int)(truncate * sigma + 0.5);
}

int gaussian_filter(struct float_image *image, double sigma, double truncate, enum filter_border border)
{
    const int radius = gaussian_radius(sigma, truncate);
    struct padded_image source = {0};
    int status = -1;

    double *weights = gaussian_weights(sigma, radius);
    if (weights && padded_image_of_floats(&source, image, 0, radius, border) == 0)
        status = filter_separable(&source, weights, radius, take_floats, image);
    padded_image_free(&source);
    free(weights);
    return status;
}

int gaussian_filter_bytes(struct df_image *image, double sigma)
{
    const int radius = gaussian_radius(sigma, 4.0);
    struct padded_image source = {0};
    int status = -1;

    double *weights = gaussian_weights(sigma, radius);
    if (weights && padded_image_of_bytes(&source, image, 255.0, 0, radius, BORDER_NEAREST) == 0)
        status = filter_separable(&source, weights, radius, take_unit_bytes, image);
    padded_image_free(&source);
    free(weights);
    return status;
}

int filter_2d(struct float_image *image, const double *kernel, int size)
{
    const int middle = size / 2;
    struct padded_image source = {0};
    int count = 0, status = -1;

    assert(size % 2 == 1);
    struct tap *taps = malloc((size_t)(size * size) * sizeof *taps);
    if (!taps)
        return df_error_memory("a kernel", (unsigned long long)(size * size) * sizeof *taps);
    for (int i = 0; i < size * size; i++) {
        if (kernel[i] != 0.0)
            taps[count++] = (struct tap){i % size - middle, i / size - middle, kernel[i]};
    }
    if (padded_image_of_floats(&source, image, middle, middle, BORDER_REFLECT_101) == 0)
        status = filter_taps(&source, taps, count, take_floats, image);
    padded_image_free(&source);
    free(taps);
    return status;
}
