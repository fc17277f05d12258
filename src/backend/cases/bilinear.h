/* Bilinear enlargement, for the plain loops. Where an index reads is found in float32, as PyTorch does it. */
#ifndef DINOFT_CASES_BILINEAR_H
#define DINOFT_CASES_BILINEAR_H

#include <math.h>
#include <stdint.h>

struct bilinear_size {
    int64_t h, w, classes, height, width; /* logits [h, w, C] to [height, width, C] */
};

/* A pixel of the logits that one of the enlarged picture reads. */
struct bilinear_corner {
    int64_t pixel;
    double weight;
};

static inline void bilinear_tap(int64_t to, int64_t in, int64_t out, int64_t from[2], double weight[2])
{
    const float scale = (float)in / (float)out;
    const float source = fmaxf(((float)to + 0.5f) * scale - 0.5f, 0.0f);

    from[0] = (int64_t)source < in - 1 ? (int64_t)source : in - 1;
    from[1] = from[0] + 1 < in ? from[0] + 1 : from[0];
    weight[1] = (double)fminf(source - (float)from[0], 1.0f);
    weight[0] = 1.0 - weight[1];
}

static inline void bilinear_corners(const struct bilinear_size *size, int64_t pixel,
                                    struct bilinear_corner corners[4])
{
    int64_t rows[2], columns[2];
    double row_weights[2], column_weights[2];

    bilinear_tap(pixel / size->width, size->h, size->height, rows, row_weights);
    bilinear_tap(pixel % size->width, size->w, size->width, columns, column_weights);
    for (int i = 0; i < 4; i++)
        corners[i] = (struct bilinear_corner){rows[i / 2] * size->w + columns[i % 2],
                                              row_weights[i / 2] * column_weights[i % 2]};
}

/* The enlarged logits [C] of a pixel. */
static inline void bilinear_pixel(const struct bilinear_size *size, const float *logits, int64_t pixel,
                                  double *value)
{
    struct bilinear_corner corners[4];

    bilinear_corners(size, pixel, corners);
    for (int64_t c = 0; c < size->classes; c++) {
        value[c] = 0.0;
        for (int i = 0; i < 4; i++)
            value[c] += corners[i].weight * (double)logits[corners[i].pixel * size->classes + c];
    }
}

/* value = softmax(value); returns the logarithm of the sum of exponentials of what it was. */
static inline double softmax(double *value, int64_t classes)
{
    double largest = value[0], sum = 0.0;

    for (int64_t c = 1; c < classes; c++)
        largest = fmax(largest, value[c]);
    for (int64_t c = 0; c < classes; c++)
        sum += exp(value[c] - largest);
    for (int64_t c = 0; c < classes; c++)
        value[c] = exp(value[c] - largest) / sum;
    return largest + log(sum);
}

/* The lowest of the classes that have the largest value. */
static inline int64_t first_largest(const double *value, int64_t classes)
{
    int64_t best = 0;

    for (int64_t c = 1; c < classes; c++) {
        if (value[c] > value[best])
            best = c;
    }
    return best;
}

#endif
