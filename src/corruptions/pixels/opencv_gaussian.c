/* OpenCV blurs bytes with weights in 256ths: a pass down the columns gives sums of at most 255 * 256, a pass
 * along the rows sums of at most 255 * 65536, which are rounded to bytes. All of it is exact, so the order of
 * things is free; the loops here stay within 16 bits, of which a processor adds many at once. */
#include "opencv_gaussian.h"

#include "padded_bytes.h"

#include "dinoft/error.h"
#include "dinoft/multiversion.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RADIUS (OPENCV_GAUSSIAN_MOST / 2)

struct fixed_weights {
    int radius;
    int bits;                              /* 8, or at most 4 where both passes together fit 16 bits */
    uint16_t weight[OPENCV_GAUSSIAN_MOST]; /* their sum is 2^bits */
};

void opencv_gaussian_weights(double *weights, int size, double sigma)
{
    static const double small[4][7] = {
        {1.0},
        {0.25, 0.5, 0.25},
        {0.0625, 0.25, 0.375, 0.25, 0.0625},
        {0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125},
    };
    const double middle = (size - 1) * 0.5;
    double sum = 0.0;

    if (sigma <= 0.0 && size <= 7) {
        memcpy(weights, small[size / 2], (size_t)size * sizeof *weights);
        return;
    }
    if (sigma <= 0.0)
        sigma = 0.3 * (middle - 1.0) + 0.8;
    for (int i = 0; i < size; i++) {
        weights[i] = exp(-0.5 / (sigma * sigma) * ((i - middle) * (i - middle)));
        sum += weights[i];
    }
    for (int i = 0; i < size; i++)
        weights[i] /= sum;
}

int opencv_gaussian_size(double sigma)
{
    return (int)rint(sigma * 6.0 + 1.0) | 1;
}

/* Rounded from the outermost inwards, each with the error of the one before; the middle takes what is left of
 * 256. */
static void fix_weights(struct fixed_weights *fixed, int size, double sigma)
{
    double weights[OPENCV_GAUSSIAN_MOST], error = 0.0;
    int left = 256, common = 0;

    opencv_gaussian_weights(weights, size, sigma);
    fixed->radius = size / 2;
    fixed->bits = 8;
    for (int i = 0; i < fixed->radius; i++) {
        const double exact = weights[i] * 256.0 + error;
        const int rounded = (int)rint(exact);
        error = exact - rounded;
        fixed->weight[i] = fixed->weight[size - 1 - i] = (uint16_t)rounded;
        left -= 2 * rounded;
        common |= rounded;
    }
    fixed->weight[fixed->radius] = (uint16_t)left;
    if ((common | left) % 16 == 0) {
        fixed->bits = 4;
        for (int i = 0; i < size; i++)
            fixed->weight[i] /= 16;
    }
}

/* out[i] = the sum of rows[k][i] * weights[k] over k = 0 .. 2 * radius, where weights are symmetric. */
DF_INLINE void sum_column(uint16_t *restrict out, const uint8_t *const *rows, const uint16_t *weights,
                          const int radius, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint16_t sum = (uint16_t)(weights[radius] * rows[radius][i]);
        for (int k = 0; k < radius; k++)
            sum = (uint16_t)(sum + weights[k] * (uint16_t)(rows[k][i] + rows[2 * radius - k][i]));
        out[i] = sum;
    }
}

/* out[i] = the same sum of sums[i + (k - radius) * step], rounded, for weights of 4 bits. */
DF_INLINE void sum_row_short(uint8_t *restrict out, const uint16_t *restrict sums, const uint16_t *weights,
                             const int radius, int64_t step, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint16_t sum = (uint16_t)(weights[radius] * sums[i] + 128);
        for (int k = 0; k < radius; k++) {
            const int64_t away = (radius - k) * step;
            sum = (uint16_t)(sum + weights[k] * (uint16_t)(sums[i - away] + sums[i + away]));
        }
        out[i] = (uint8_t)(sum >> 8);
    }
}

DF_INLINE void split_row(uint8_t *restrict upper, uint8_t *restrict lower, const uint16_t *restrict sums,
                         int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        upper[i] = (uint8_t)(sums[i] >> 8);
        lower[i] = (uint8_t)sums[i];
    }
}

/* The same for weights of 8 bits, with the upper and lower bytes of the sums apart. */
DF_INLINE void sum_row_long(uint8_t *restrict out, const uint8_t *restrict upper,
                            const uint8_t *restrict lower, const uint16_t *weights, const int radius,
                            int64_t step, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint16_t high = (uint16_t)(weights[radius] * upper[i] + 128);
        uint16_t low = (uint16_t)(weights[radius] * lower[i]);
        for (int k = 0; k < radius; k++) {
            const int64_t away = (radius - k) * step;
            high = (uint16_t)(high + weights[k] * (uint16_t)(upper[i - away] + upper[i + away]));
            low = (uint16_t)(low + weights[k] * (uint16_t)(lower[i - away] + lower[i + away]));
        }
        out[i] = (uint8_t)((uint16_t)(high + (low >> 8)) >> 8);
    }
}

/* What the rows of an image have in common. */
struct blur {
    struct fixed_weights weights;
    int64_t values, margin; /* of a row, and beside it */
    int64_t step;           /* from a pixel to the next */
    uint16_t *sums;         /* [margin + values + margin] */
    uint8_t *upper, *lower; /* [margin + values + margin] */
};

DF_INLINE void blur_row(const struct blur *blur, const uint8_t *const *rows, uint8_t *out, const int radius)
{
    const int64_t all = blur->values + 2 * blur->margin;

    sum_column(blur->sums, rows, blur->weights.weight, radius, all);
    if (blur->weights.bits == 4) {
        sum_row_short(out, blur->sums + blur->margin, blur->weights.weight, radius, blur->step, blur->values);
        return;
    }
    split_row(blur->upper, blur->lower, blur->sums, all);
    sum_row_long(out, blur->upper + blur->margin, blur->lower + blur->margin, blur->weights.weight, radius,
                 blur->step, blur->values);
}

/* With a radius that the compiler knows, the loops over weights disappear. */
DF_MULTIVERSION static void blur_row_of_any_radius(const struct blur *blur, const uint8_t *const *rows,
                                                   uint8_t *out)
{
    switch (blur->weights.radius) {
    case 1:
        blur_row(blur, rows, out, 1);
        break;
    case 2:
        blur_row(blur, rows, out, 2);
        break;
    case 3:
        blur_row(blur, rows, out, 3);
        break;
    case 4:
        blur_row(blur, rows, out, 4);
        break;
    default:
        blur_row(blur, rows, out, MOST_RADIUS);
    }
}

int opencv_gaussian_blur(struct df_image *image, int size, double sigma)
{
    const int radius = size / 2;
    struct blur blur = {.values = image->width * image->channels,
                        .margin = (int64_t)radius * image->channels,
                        .step = image->channels};
    const size_t all = (size_t)(blur.values + 2 * blur.margin);
    struct padded_bytes source;
    int status = -1;

    assert(size % 2 == 1 && size <= OPENCV_GAUSSIAN_MOST);
    if (size == 1)
        return 0;
    fix_weights(&blur.weights, size, sigma);
    blur.sums = malloc(all * sizeof *blur.sums);
    blur.upper = malloc(all);
    blur.lower = malloc(all);
    if (padded_bytes_make(&source, image, radius) != 0)
        goto done;
    if (!blur.sums || !blur.upper || !blur.lower) {
        df_error_memory("blurring an image", 4 * (unsigned long long)all);
        goto done;
    }
    for (int64_t y = 0; y < image->height; y++)
        blur_row_of_any_radius(&blur, source.rows + y, image->pixels + y * blur.values);
    status = 0;
done:
    padded_bytes_free(&source);
    free(blur.sums);
    free(blur.upper);
    free(blur.lower);
    return status;
}
