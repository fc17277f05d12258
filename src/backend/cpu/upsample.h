/* Bilinear upsampling of logits a pixel at a time, and the softmax of one pixel: what the loss, the upsampled
 * logits and the averages over views share. */
#ifndef DINOFT_CPU_UPSAMPLE_H
#define DINOFT_CPU_UPSAMPLE_H

#include "vector_math.h"

#include "dinoft/backend.h"
#include "dinoft/labels.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES       16  /* classes are padded to a multiple of this, so that loops have no remainder */
#define MAX_CLASSES 255 /* and labels are uint8 */

/* Where an output index reads in one direction, by PyTorch's rule in its float32. */
struct tap {
    int64_t low, high;
    float weight_low, weight_high;
};

static struct tap bilinear_tap(int64_t i, float scale, int64_t in)
{
    float source = ((float)i + 0.5f) * scale - 0.5f;
    source = source < 0.0f ? 0.0f : source;
    const int64_t low = df_min_i64((int64_t)source, in - 1);
    float weight = source - (float)low;
    weight = weight > 1.0f ? 1.0f : weight;
    return (struct tap){low, low < in - 1 ? low + 1 : low, 1.0f - weight, weight};
}

/* As df_first_reader() wants it. */
static inline int64_t bilinear_source(int64_t i, float scale, int64_t in)
{
    return bilinear_tap(i, scale, in).low;
}

/* The source rows [w, C] that a row reads, of all images' rows at the labels' size. */
DF_INLINE struct tap source_rows(const struct df_upsample_loss *work, int64_t row, const float **upper,
                                 const float **lower)
{
    const struct tap y = bilinear_tap(row % work->height, (float)work->h / (float)work->height, work->h);
    const float *image = work->logits + row / work->height * work->h * work->w * work->classes;

    *upper = image + y.low * work->w * work->classes;
    *lower = image + y.high * work->w * work->classes;
    return y;
}

/* Logits of the two source columns around a run of pixels, already mixed vertically, the gradients that the
 * run leaves in them, and the pixel's own logits. What labels take from a gradient is summed apart: a vector
 * that is read just after one of its elements was written stalls. Padding holds logits so low that their
 * probability is 0. */
struct columns {
    _Alignas(64) float left[MAX_CLASSES + 1], right[MAX_CLASSES + 1];
    _Alignas(64) float dleft[MAX_CLASSES + 1], dright[MAX_CLASSES + 1];
    _Alignas(64) float left_hits[MAX_CLASSES + 1], right_hits[MAX_CLASSES + 1];
    _Alignas(64) float value[MAX_CLASSES + 1];
    int64_t loaded; /* the left one's index; -1: none is */
};

#define PADDING (-1e30f)

DF_INLINE int32_t padded_classes(int64_t classes)
{
    return (int32_t)((classes + LANES - 1) / LANES) * LANES;
}

static void clear_columns(struct columns *columns, int64_t classes)
{
    memset(columns, 0, sizeof(*columns));
    for (int64_t c = classes; c < padded_classes(classes); c++)
        columns->left[c] = columns->right[c] = PADDING;
    columns->loaded = -1;
}

/* to [C] = the column's logits between two source rows. */
DF_INLINE void mix_rows(float *restrict to, const float *upper, const float *lower, struct tap y,
                        int64_t classes)
{
#pragma omp simd
    for (int64_t c = 0; c < classes; c++)
        to[c] = y.weight_low * upper[c] + y.weight_high * lower[c];
}

/* Brings the columns that x reads; upper and lower are the source rows [w, C]. */
DF_INLINE void load_columns(struct columns *columns, const float *upper, const float *lower, struct tap y,
                            struct tap x, int64_t classes)
{
    mix_rows(columns->left, upper + x.low * classes, lower + x.low * classes, y, classes);
    mix_rows(columns->right, upper + x.high * classes, lower + x.high * classes, y, classes);
    columns->loaded = x.low;
}

DF_INLINE void mix_columns(struct columns *columns, struct tap x, int32_t padded)
{
#pragma omp simd
    for (int32_t c = 0; c < padded; c++)
        columns->value[c] = x.weight_low * columns->left[c] + x.weight_high * columns->right[c];
}

/* value = the logits of a pixel; those of a row are read from left to right. */
DF_INLINE void read_pixel(struct columns *columns, const float *upper, const float *lower, struct tap y,
                          struct tap x, int64_t classes)
{
    if (x.low != columns->loaded)
        load_columns(columns, upper, lower, y, x, classes);
    mix_columns(columns, x, padded_classes(classes));
}

/* Maximum and sum are taken lane by lane and then folded, since compilers do not reorder floats by
 * themselves; so the width of the machine's vectors does not show in the result either. */
DF_INLINE float greater(float a, float b)
{
    return a > b ? a : b;
}

DF_INLINE float maximum(const float *value, int32_t padded)
{
    float lanes[LANES];
    for (int32_t i = 0; i < LANES; i++)
        lanes[i] = -INFINITY;
    for (int32_t c = 0; c < padded; c += LANES)
        for (int32_t i = 0; i < LANES; i++)
            lanes[i] = greater(value[c + i], lanes[i]);
    for (int32_t i = 0; i < LANES / 2; i++)
        lanes[i] = greater(lanes[i], lanes[i + LANES / 2]);
    for (int32_t i = 0; i < LANES / 4; i++)
        lanes[i] = greater(lanes[i], lanes[i + LANES / 4]);
    return greater(greater(lanes[0], lanes[2]), greater(lanes[1], lanes[3]));
}

DF_INLINE float fold(float lanes[LANES])
{
    for (int32_t i = 0; i < LANES / 2; i++)
        lanes[i] += lanes[i + LANES / 2];
    for (int32_t i = 0; i < LANES / 4; i++)
        lanes[i] += lanes[i + LANES / 4];
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

/* value = e^(value - best); returns the sum. */
DF_INLINE float exponentials(float *value, float best, int32_t padded)
{
    float lanes[LANES] = {0};
    for (int32_t c = 0; c < padded; c += LANES) {
        for (int32_t i = 0; i < LANES; i++) {
            value[c + i] = df_expf_fast(value[c + i] - best);
            lanes[i] += value[c + i];
        }
    }
    return fold(lanes);
}

/* The columns' gradients += the pixel's exponentials, times these. */
DF_INLINE void spread_gradient(struct columns *columns, float left, float right, int32_t padded)
{
#pragma omp simd
    for (int32_t c = 0; c < padded; c++) {
        columns->dleft[c] += left * columns->value[c];
        columns->dright[c] += right * columns->value[c];
    }
}

/* The lowest class whose value is at least `least`, such as the largest; the last class where none is (NaN).
 */
DF_INLINE uint8_t first_class_from(const float *value, float least, int32_t padded, int64_t classes)
{
    int32_t index = (int32_t)classes - 1;
#pragma omp simd reduction(min : index)
    for (int32_t c = 0; c < padded; c++) {
        const int32_t candidate = value[c] >= least ? c : MAX_CLASSES;
        index = candidate < index ? candidate : index;
    }
    return (uint8_t)index;
}

/* No logit below this has the float32 sigmoid of `best`: it is further away than eight steps of what the
 * sigmoid is rounded to, over its slope. In place of e^best, of which the slope is made, stands the power of
 * 2 above. */
DF_INLINE float lowest_tie(float best)
{
    if (best > 17.0f)
        return 16.6f; /* 1 + e^-x is 1 */
    if (best < -80.0f)
        return -INFINITY; /* e^-x leaves the normal numbers, or nearly */
    const uint32_t bits = (uint32_t)(best * 1.44269504f + 128.0f) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return best - 0x1p-20f * (1.0f + power);
}

DF_INLINE float sigmoid(float x)
{
    return x > 17.0f ? 1.0f : 1.0f / (1.0f + expf(-x));
}

/* The lowest class whose float32 sigmoid is that of `best`, the largest value; none below `near` can be it,
 * nor one of less than `lowest`. */
DF_INLINE uint8_t first_class_of_sigmoid(const float *value, float best, float lowest, uint8_t near,
                                         int64_t classes)
{
    const float largest = sigmoid(best);
    int64_t c = near;

    while (c < classes - 1 && (value[c] < lowest || sigmoid(value[c]) != largest))
        c++;
    return (uint8_t)c;
}

#endif
