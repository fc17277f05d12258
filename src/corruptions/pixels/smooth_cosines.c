#include "smoothing.h"

#include "dinoft/error.h"
#include "dinoft/multiversion.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

/* The lowest cosines along a side of `size` pixels, and what the filter makes of each. */
struct cosines {
    int64_t size, count;
    float *rows;    /* [count, size] */
    float *columns; /* [size, count]: the same transposed */
    double *gains;  /* [count] */
    double *turn;   /* [4 size]: cos(i pi / (2 size)), all that is ever needed */
};

/* A Gaussian weakens cosine k to exp(-(sigma pi k / size)^2 / 2): those below 1e-5 are left out. */
int64_t smoothing_cosines(int64_t size, double sigma)
{
    return df_min_i64((int64_t)ceil(4.8 * (double)size / (PI * sigma)), size);
}

static double cosine(const struct cosines *cosines, int64_t at)
{
    return cosines->turn[at % (4 * cosines->size)];
}

static void cosines_free(struct cosines *cosines)
{
    free(cosines->rows);
    free(cosines->columns);
    free(cosines->gains);
    free(cosines->turn);
}

static int cosines_alloc(struct cosines *cosines, int64_t size, double sigma)
{
    const int64_t count = smoothing_cosines(size, sigma);
    const size_t values = (size_t)(count * size);

    *cosines = (struct cosines){.size = size, .count = count};
    cosines->rows = malloc(values * sizeof *cosines->rows);
    cosines->columns = malloc(values * sizeof *cosines->columns);
    cosines->gains = malloc((size_t)count * sizeof *cosines->gains);
    cosines->turn = malloc(4 * (size_t)size * sizeof *cosines->turn);
    if (cosines->rows && cosines->columns && cosines->gains && cosines->turn)
        return 0;
    return df_error_memory("smoothing", 2 * values * sizeof *cosines->rows);
}

/* The Gaussian's weights, cut off and normalised, against each cosine; over the sum of the cosine's squares,
 * so that sums of products are coordinates. */
static void fill_gains(struct cosines *cosines, double sigma, int radius)
{
    double weights = 1.0;

    for (int64_t k = 0; k < cosines->count; k++)
        cosines->gains[k] = 1.0;
    for (int i = 1; i <= radius; i++) {
        const double weight = 2.0 * exp(-0.5 * i * i / (sigma * sigma));
        weights += weight;
        for (int64_t k = 0; k < cosines->count; k++)
            cosines->gains[k] += weight * cosine(cosines, 2 * k * i);
    }
    for (int64_t k = 0; k < cosines->count; k++)
        cosines->gains[k] *= (k > 0 ? 2.0 : 1.0) / ((double)cosines->size * weights);
}

static int make_cosines(struct cosines *cosines, int64_t size, double sigma, double truncate)
{
    DF_TRY(cosines_alloc(cosines, size, sigma));
    for (int64_t i = 0; i < 4 * size; i++)
        cosines->turn[i] = cos(PI * (double)i / (double)(2 * size));
    fill_gains(cosines, sigma, smoothing_radius(sigma, truncate));
    for (int64_t k = 0; k < cosines->count; k++) {
        for (int64_t i = 0; i < size; i++) {
            const float value = (float)cosine(cosines, k * (2 * i + 1));
            cosines->rows[k * size + i] = value;
            cosines->columns[i * cosines->count + k] = value;
        }
    }
    return 0;
}

/* product [m, n] = a [m, k] times b [k, n]. */
DF_MULTIVERSION static void multiply(const float *restrict a, const float *restrict b, int64_t m, int64_t k,
                                     int64_t n, float *restrict product)
{
    memset(product, 0, (size_t)(m * n) * sizeof *product);
    for (int64_t row = 0; row < m; row++) {
        float *sums = product + row * n;
        int64_t i = 0;
        for (; i + 4 <= k; i += 4) {
            const float *weights = a + row * k + i;
            const float *first = b + i * n, *second = first + n, *third = second + n, *fourth = third + n;
            for (int64_t x = 0; x < n; x++)
                sums[x] += (weights[0] * first[x] + weights[1] * second[x]) +
                           (weights[2] * third[x] + weights[3] * fourth[x]);
        }
        for (; i < k; i++) {
            for (int64_t x = 0; x < n; x++)
                sums[x] += a[row * k + i] * b[i * n + x];
        }
    }
}

/* lines [y->count, width], coordinates [y->count, x->count]. */
static void through_cosines(const struct float_image *source, const struct cosines *x,
                            const struct cosines *y, float *lines, float *coordinates,
                            struct float_image *result)
{
    multiply(y->rows, source->pixels, y->count, source->height, source->width, lines);
    multiply(lines, x->columns, y->count, source->width, x->count, coordinates);
    for (int64_t j = 0; j < y->count; j++)
        for (int64_t i = 0; i < x->count; i++)
            coordinates[j * x->count + i] *= (float)(y->gains[j] * x->gains[i]);
    multiply(coordinates, x->rows, y->count, x->count, source->width, lines);
    multiply(y->columns, lines, result->height, y->count, result->width, result->pixels);
}

int smooth_by_cosines(const struct float_image *source, const struct smoothing *smoothing,
                      struct float_image *result)
{
    struct cosines x = {0}, y = {0};
    float *lines = NULL, *coordinates = NULL;
    int status = -1;

    assert(source->channels == 1 && result->channels == 1 && source->width == result->width &&
           source->height == result->height);
    if (make_cosines(&x, source->width, smoothing->sigma_x, smoothing->truncate) != 0 ||
        make_cosines(&y, source->height, smoothing->sigma_y, smoothing->truncate) != 0)
        goto done;
    lines = malloc((size_t)(y.count * source->width) * sizeof *lines);
    coordinates = malloc((size_t)(y.count * x.count) * sizeof *coordinates);
    if (!lines || !coordinates) {
        df_error_memory("smoothing", (unsigned long long)(y.count * source->width) * sizeof *lines);
        goto done;
    }
    through_cosines(source, &x, &y, lines, coordinates, result);
    status = 0;
done:
    free(lines);
    free(coordinates);
    cosines_free(&x);
    cosines_free(&y);
    return status;
}
